package driver

// reportedParameters are those that servers report by themselves, in any version, and what poolers and other engines add.
var reportedParameters = []string{
	"DateStyle", "IntervalStyle", "TimeZone", "application_name", "client_encoding", "crdb_version",
	"default_transaction_read_only", "in_hot_standby", "integer_datetimes", "is_superuser", "scram_iterations", "search_path",
	"server_encoding", "server_version", "session_authorization", "standard_conforming_strings",
}

// Parameters are the run-time parameters that the server reports by itself, as last heard.
func (c *Conn) Parameters() map[string]string {
	all := make(map[string]string)
	for _, name := range reportedParameters {
		if value := c.pg.ParameterStatus(name); value != "" {
			all[name] = value
		}
	}
	return all
}

// Protocol is the version of the wire protocol that the session speaks. Since 3.2 cancel keys are longer than four bytes.
func (c *Conn) Protocol() string {
	if len(c.pg.SecretKey()) > 4 {
		return "3.2"
	}
	return "3.0"
}
