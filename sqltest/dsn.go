package sqltest

import (
	"net"
	"net/url"
	"regexp"
	"strings"
)

// isURL reports whether dsn is a connection URL rather than key=value text.
func isURL(dsn string) bool {
	scheme, _, found := strings.Cut(dsn, "://")
	return found && !strings.ContainsAny(scheme, "= '")
}

// withDatabase returns dsn with another database, or dsn itself for "".
func withDatabase(dsn, dbname string) string {
	if dbname == "" {
		return dsn
	}
	if !isURL(dsn) {
		return dsn + " dbname=" + quoteKeyword(dbname) // the last one counts
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn // whoever connects with it says what is wrong
	}
	u.Path, u.RawPath = "/"+dbname, ""
	query := u.Query()
	query.Del("dbname")
	query.Del("database")
	u.RawQuery = query.Encode()
	return u.String()
}

// withAddress returns dsn with another host and port.
func withAddress(dsn, host, port string) string {
	if !isURL(dsn) {
		if strings.Contains(dsn, "hostaddr") {
			dsn += " hostaddr=''"
		}
		return dsn + " host=" + quoteKeyword(host) + " port=" + quoteKeyword(port)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn
	}
	u.Host = net.JoinHostPort(host, port)
	query := u.Query()
	for _, key := range []string{"host", "hostaddr", "port"} {
		query.Del(key)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// withoutTLS returns dsn with sslmode=disable.
func withoutTLS(dsn string) string {
	if !isURL(dsn) {
		return dsn + " sslmode=disable"
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn
	}
	query := u.Query()
	query.Set("sslmode", "disable")
	for _, key := range []string{"sslrootcert", "sslnegotiation"} {
		query.Del(key)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

var keywordQuoter = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

func quoteKeyword(value string) string { return "'" + keywordQuoter.Replace(value) + "'" }

var passwordKeyword = regexp.MustCompile(`(?i)(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)`)

// redacted returns dsn without its password.
func redacted(dsn string) string {
	if !isURL(dsn) {
		return passwordKeyword.ReplaceAllString(dsn, "${1}xxxxx")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "(a DSN that is no URL)"
	}
	query := u.Query()
	if query.Has("password") {
		query.Set("password", "xxxxx")
		u.RawQuery = query.Encode()
	}
	return u.Redacted()
}
