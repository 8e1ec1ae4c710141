def read_external_arms(a, b): return []
