package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// Tool is a program that was found.
type Tool struct {
	Name    string // "pg_dump"
	Path    string
	Version string // as it tells: "15.18"
	Major   int
}

// folders are where systems put PostgreSQL's programs, beside PATH.
var folders = []string{
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/lib64/pgsql/bin",
	"/opt/homebrew/opt/libpq/bin", "/usr/local/opt/libpq/bin",
	"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin", "/Library/PostgreSQL/*/bin", `C:\Program Files\PostgreSQL\*\bin`,
}

// FindTool finds pg_dump, pg_restore or psql for a server of a major version (0: any), in one folder, or where that is "" in
// PATH and where systems put them: the one of the server's version, else the next newer one, else the newest.
func FindTool(ctx context.Context, name, folder string, major int) (Tool, error) {
	var best Tool
	for _, path := range candidates(name, folder) {
		tool, err := askTool(ctx, name, path)
		if ctx.Err() != nil {
			return Tool{}, fmt.Errorf("backup: %w", context.Cause(ctx))
		}
		if err == nil && (best.Path == "" || fits(tool.Major, best.Major, major)) {
			best = tool
		}
		if best.Path != "" && (best.Major == major || major == 0) {
			break
		}
	}
	if best.Path == "" {
		return Tool{}, notFound(name, folder)
	}
	return best, nil
}

// fits reports whether version a fits a server better than b.
func fits(a, b, server int) bool {
	switch {
	case a == b || b == server:
		return false
	case a >= server && b >= server:
		return a < b
	}
	return a > b
}

func candidates(name, folder string) (paths []string) {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if folder != "" {
		return []string{filepath.Join(folder, name)}
	}
	if path, err := exec.LookPath(name); err == nil || errors.Is(err, exec.ErrDot) {
		if abs, err := filepath.Abs(path); err == nil {
			paths = append(paths, abs)
		}
	}
	for _, pattern := range folders {
		found, _ := filepath.Glob(filepath.Join(pattern, name))
		paths = append(paths, found...)
	}
	return paths
}

func notFound(name, folder string) error {
	where := "PATH and the usual folders"
	if folder != "" {
		where = folder
	}
	return fmt.Errorf("backup: %w: %s is not in %s. It comes with PostgreSQL's client programs: apt install postgresql-client (Debian, Ubuntu), "+
		"dnf install postgresql (Fedora, RHEL), brew install libpq (macOS), or PostgreSQL's installer (Windows)", ErrToolNotFound, name, where)
}

var versionText = regexp.MustCompile(`^\S+ \(.*?\) (([0-9]+)\S*)`)

// askTool asks a program for its version.
func askTool(ctx context.Context, name, path string) (Tool, error) {
	if _, err := os.Stat(path); err != nil {
		return Tool{}, err
	}
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Env = cleanEnv(os.Environ())
	cmd.WaitDelay = killAfter
	out, err := cmd.Output()
	if err != nil {
		return Tool{}, err
	}
	return parseVersion(name, path, string(out))
}

func parseVersion(name, path, said string) (Tool, error) {
	parts := versionText.FindStringSubmatch(strings.TrimSpace(said))
	if parts == nil {
		return Tool{}, fmt.Errorf("backup: %s gives no version: %q", path, said)
	}
	major, err := strconv.Atoi(parts[2])
	if err != nil {
		return Tool{}, fmt.Errorf("backup: %s gives no version: %q", path, said)
	}
	return Tool{Name: name, Path: path, Version: parts[1], Major: major}, nil
}
