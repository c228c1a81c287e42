import ctypes
def run(address,argument,threads):
    ctypes.CFUNCTYPE(None,ctypes.c_void_p,ctypes.c_int64)(address)(argument,0)
