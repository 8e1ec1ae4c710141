// Preloaded, this makes every program believe that the MuJoCo library is of another version.
extern "C" int mj_version() { return 2999999; }
extern "C" const char* mj_versionString() { return "2.99.99"; }
