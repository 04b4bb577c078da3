package sqltest

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// binDirEnv names the folder of PostgreSQL's programs; it is the first that findBinaries looks at.
const binDirEnv = "PYCOPG_PG_BINDIR"

// folderGlobs are the usual places of PostgreSQL's programs on each system.
var folderGlobs = map[string][]string{
	"linux": {"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/bin", "/usr/local/pgsql/bin", "/opt/postgresql*/bin"},
	"darwin": {
		"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin", "/Library/PostgreSQL/*/bin",
	},
	"windows": {`C:\Program Files\PostgreSQL\*\bin`},
	"freebsd": {"/usr/local/bin"},
}

// installHint is what a person types who has no PostgreSQL.
const installHint = `install it with "apt-get install postgresql", "dnf install postgresql-server" or "brew install postgresql@17",` +
	` or name its folder in ` + binDirEnv

// missingError says where findBinaries looked.
type missingError struct{ tried []string }

func (e *missingError) Error() string {
	return fmt.Sprintf("no PostgreSQL programs (initdb and postgres) in %s; %s", strings.Join(e.tried, ", "), installHint)
}

// findBinaries returns the first folder that holds initdb and postgres, or a *missingError.
// A folder that PYCOPG_PG_BINDIR names is the only one looked at.
func findBinaries() (string, error) {
	if dir := os.Getenv(binDirEnv); dir != "" {
		if hasServer(dir) {
			return dir, nil
		}
		return "", &missingError{tried: []string{binDirEnv + "=" + dir}}
	}
	var tried []string
	for _, source := range []func() (string, []string){fromPath, fromPgConfig, fromFolders} {
		name, dirs := source()
		tried = append(tried, name)
		for _, dir := range dirs {
			if hasServer(dir) {
				return dir, nil
			}
		}
	}
	return "", &missingError{tried: tried}
}

func fromPath() (string, []string) {
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "PATH", nil
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return "PATH", []string{filepath.Dir(path)}
}

func fromPgConfig() (string, []string) {
	out, err := exec.Command("pg_config", "--bindir").Output()
	if err != nil {
		return "pg_config", nil
	}
	return "pg_config", []string{strings.TrimSpace(string(out))}
}

func fromFolders() (string, []string) {
	globs := folderGlobs[runtime.GOOS]
	var dirs []string
	for _, glob := range globs {
		found, _ := filepath.Glob(glob) // the only error is a malformed pattern
		slices.SortStableFunc(found, func(a, b string) int { return cmp.Compare(versionIn(b), versionIn(a)) })
		dirs = append(dirs, found...)
	}
	return strings.Join(globs, ", "), dirs
}

var digits = regexp.MustCompile(`[0-9]+`)

// versionIn returns the first number in a folder's name, 0 if it has none.
func versionIn(dir string) int {
	n, _ := strconv.Atoi(digits.FindString(dir))
	return n
}

func hasServer(dir string) bool {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, program)); err != nil {
			return false
		}
	}
	return true
}
