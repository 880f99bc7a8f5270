// A shared object that is no backend.

extern "C" __attribute__((visibility("default"))) int proxpath_something_else() { return 1; }
