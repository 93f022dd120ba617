"""The scene side of SERU: MRML nodes, the child process, installing. Imports neither torch nor OpenCV."""
