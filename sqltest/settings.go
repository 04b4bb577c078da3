package sqltest

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// superuser is the user that every server of this package has.
const superuser = "postgres"

// defaultSettings make a server that is quick, forgets everything in a crash, and lets tests use
// every feature that has to be allowed when a server starts.
var defaultSettings = map[string]string{
	"fsync":                          "off",
	"synchronous_commit":             "off",
	"full_page_writes":               "off",
	"listen_addresses":               "127.0.0.1",
	"max_connections":                strconv.Itoa(maxConnections(runtime.NumCPU())),
	"superuser_reserved_connections": "3",
	"max_prepared_transactions":      "64",
	"max_locks_per_transaction":      "128",
	"wal_level":                      "logical",
	"max_wal_senders":                "16",
	"max_replication_slots":          "16",
	"max_worker_processes":           "32",
	"wal_init_zero":                  "off",
	"max_wal_size":                   "4GB",
	"shared_buffers":                 "128MB",
	"password_encryption":            "scram-sha-256",
	"timezone":                       "UTC",
	"log_timezone":                   "UTC",
	"log_line_prefix":                "%m [%p] %q%u@%d ",
}

// maxConnections is enough for the tests of a module: the go command tests as many packages at a time as there are processors, each
// package as many tests, and a test has a few sessions. Each connection that may come costs the server about 30 KiB.
func maxConnections(processors int) int {
	const ofTest, least, most = 4, 400, 4000
	return min(max(least, ofTest*processors*processors), most)
}

// defaultHBA trusts the socket, whose folder is private, and asks for the password on TCP, where
// everybody on the machine can knock.
var defaultHBA = []string{
	"local all,replication all trust",
	"host all,replication all 127.0.0.1/32 scram-sha-256",
	"host all,replication all ::1/128 scram-sha-256",
}

// configure writes the server's configuration files.
func (c *cluster) configure() error {
	settings := maps.Clone(defaultSettings)
	settings["unix_socket_directories"] = socketFolder(c.Dir)
	if c.TLS {
		if err := c.certify(); err != nil {
			return fmt.Errorf("make certificates: %w", err)
		}
		settings["ssl"] = "on"
		settings["ssl_cert_file"] = c.path(dataDir, serverCert)
		settings["ssl_key_file"] = c.path(dataDir, serverKey)
	}
	maps.Copy(settings, c.Settings)
	for name, text := range c.Files {
		if err := c.account.write(c.path(dataDir, name), text); err != nil {
			return err
		}
	}
	if err := appendFile(c.path(dataDir, "postgresql.conf"), settingsText(settings)); err != nil {
		return err
	}
	hba := c.HBA
	if len(hba) == 0 {
		hba = defaultHBA
	}
	return os.WriteFile(c.path(dataDir, "pg_hba.conf"), []byte(strings.Join(hba, "\n")+"\n"), 0o600)
}

// write makes a file that a alone can read.
func (a *account) write(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return a.own(path)
}

// settingsText renders settings as lines of postgresql.conf.
func settingsText(settings map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, settingQuoter.Replace(settings[name]))
	}
	return b.String()
}

var settingQuoter = strings.NewReplacer(`'`, `''`, `\`, `\\`, "\n", `\n`)

func appendFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\n" + text)
	if errClose := f.Close(); err == nil {
		err = errClose
	}
	return err
}
