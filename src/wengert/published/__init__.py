"""What scripts that were published years ago need beside TensorFlow, mended in the process that runs them, and nowhere else."""
