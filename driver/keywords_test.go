package driver

import (
	"slices"
	"strings"
	"testing"
)

// libpq18 is every name that PQconninfoOptions of libpq 18 has.
const libpq18 = `service user password passfile channel_binding connect_timeout dbname host hostaddr port client_encoding options
	application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout
	sslmode sslnegotiation sslcompression sslcert sslkey sslcertmode sslpassword sslrootcert sslcrl sslcrldir sslsni requirepeer
	require_auth min_protocol_version max_protocol_version ssl_min_protocol_version ssl_max_protocol_version gssencmode krbsrvname
	gsslib gssdelegation replication target_session_attrs load_balance_hosts scram_client_key scram_server_key oauth_issuer
	oauth_client_id oauth_client_secret oauth_scope sslkeylogfile servicefile`

// libpqVariables is every variable in libpq's manual.
const libpqVariables = `PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGREQUIREAUTH PGCHANNELBINDING PGSERVICE
	PGSERVICEFILE PGOPTIONS PGAPPNAME PGSSLMODE PGREQUIRESSL PGSSLNEGOTIATION PGSSLCOMPRESSION PGSSLCERT PGSSLKEY PGSSLCERTMODE
	PGSSLROOTCERT PGSSLCRL PGSSLCRLDIR PGSSLSNI PGREQUIREPEER PGSSLMINPROTOCOLVERSION PGSSLMAXPROTOCOLVERSION PGGSSENCMODE
	PGKRBSRVNAME PGGSSLIB PGGSSDELEGATION PGCONNECT_TIMEOUT PGCLIENTENCODING PGTARGETSESSIONATTRS PGLOADBALANCEHOSTS
	PGMINPROTOCOLVERSION PGMAXPROTOCOLVERSION PGDATESTYLE PGTZ PGGEQO PGSYSCONFDIR PGLOCALEDIR PGOAUTHDEBUG`

func TestEveryLibpqKeywordHasARow(t *testing.T) {
	t.Parallel()
	for name := range strings.FieldsSeq(libpq18) {
		if keywordIndex[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	if len(keywordIndex) != len(keywords) {
		t.Error("a key stands in the table twice")
	}
	var variables []string
	for _, k := range keywords {
		variables = append(variables, k.env)
	}
	for _, v := range environment {
		variables = append(variables, v.name)
	}
	for name := range strings.FieldsSeq(libpqVariables) {
		if !slices.Contains(variables, name) {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestEveryVariableReachesItsKeyword gives each variable a value that its keyword cannot take, or shows.
func TestEveryVariableReachesItsKeyword(t *testing.T) {
	t.Parallel()
	for _, k := range keywords {
		if k.env == "" || k.name == "service" || k.name == "servicefile" {
			continue
		}
		lookup := func(name string) (string, bool) { return map[string]string{k.env: "10.9.9.9"}[name], name == k.env }
		c, err := parseConfig("", "dsn", lookup)
		switch {
		case err != nil && !strings.Contains(err.Error(), k.env):
			t.Errorf("%s: the error does not name it: %v", k.env, err)
		case err == nil && !strings.Contains(k.get(c), "10.9.9.9"):
			t.Errorf("%s has no effect", k.env)
		}
	}
}

func TestNoServerParameterLooksMisspelt(t *testing.T) {
	t.Parallel()
	l, err := serverConfig(t).connect(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer closeQuietly(t.Context(), l.px)
	results, err := l.px.PgConn().Exec(t.Context(), "select name from pg_settings where context in ('user', 'superuser', 'backend', 'superuser-backend')").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(results[0].Rows) < 150 {
		t.Errorf("only %d parameters", len(results[0].Rows))
	}
	for _, row := range results[0].Rows {
		if near := misspelt(string(row[0])); near != "" && keywordIndex[string(row[0])] == nil {
			t.Errorf("%s is taken for %s", row[0], near)
		}
	}
}

func TestEditDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{{"host", "host", 0}, {"hosst", "host", 1}, {"hsot", "host", 1}, {"sslmdoe", "sslmode", 1}, {"prt", "port", 1}, {"", "ab", 2}, {"abcd", "wxyz", 3}, {"a", "abcdef", 3}} {
		if got := editDistance(tt.a, tt.b, 3); min(got, 3) != tt.want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
