package driver

// Conn is a connection to a server.
type Conn struct{}
