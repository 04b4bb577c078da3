package driver

import (
	"os"

	"github.com/jackc/pgx/v5"
)

// blankDSN gives every key that pgconn would otherwise take from the environment, from default files or from the
// operating system's user. None of the values lasts: connectOnce sets the fields.
const blankDSN = "host=/ port=1 user=- dbname=- password=- passfile='' sslmode=disable sslcert='' sslkey='' sslpassword='' " +
	"sslrootcert='' sslcertmode=allow sslsni=1 sslnegotiation=postgres connect_timeout=0 target_session_attrs=any " +
	"channel_binding=prefer require_auth='' min_protocol_version=3.0 max_protocol_version=3.0 application_name='' options='' " +
	"timezone='' servicefile=''"

// parseBlank parses blankDSN. A service named in the environment cannot be switched off by a key, only replaced by an
// empty one.
func parseBlank() (*pgx.ConnConfig, error) {
	if os.Getenv("PGSERVICE") == "" {
		return pgx.ParseConfig(blankDSN)
	}
	f, err := os.CreateTemp("", "service")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString("[blank]\n")
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	return pgx.ParseConfig(string(appendSetting([]byte(blankDSN+" service=blank"), "servicefile", f.Name())))
}
