import threading
from wengert.execute.native.target import Target
_m=None
def target():
    import llvmlite.binding as llvm
    f=llvm.get_host_cpu_features()
    if f.get("avx512f"): return Target(64,32)
    return Target(32,16)
class Library:
    def __init__(self,e,k): self.e,self.k=e,k
    def address(self,name): return self.e.get_function_address(name)
def compiled(text,names):
    import llvmlite.binding as llvm
    llvm.initialize_native_target(); llvm.initialize_native_asmprinter()
    text=text.replace("ATTRIBUTES","")
    m=llvm.parse_assembly(text); m.verify()
    tm=llvm.Target.from_default_triple().create_target_machine(cpu=llvm.get_host_cpu_name(),features=llvm.get_host_cpu_features().flatten(),opt=2)
    e=llvm.create_mcjit_compiler(m,tm); e.finalize_object()
    return Library(e,tm)
def available(): return ""
