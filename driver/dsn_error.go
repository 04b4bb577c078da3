package driver

// ParseError says what is wrong with a connection string, an environment variable or a field of a Config. It names the
// key and never holds a password.
type ParseError struct {
	Key    string // DSN key, "" where none can be named
	Source string // where the value came from: "dsn", a variable's name, a service file, "Config"
	Reason string
}

// Error names source, key and reason.
func (e *ParseError) Error() string {
	s := "driver: " + orDefault(e.Source, "dsn") + ": "
	if e.Key != "" {
		s += e.Key + ": "
	}
	return s + e.Reason
}
