package sqltest

// FindBinaries lets tests know whether a server can be started here.
var FindBinaries = findBinaries
