package backup_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pycopg/pycopg/admin/backup"
	"github.com/pycopg/pycopg/sqltest"
)

// fakeTool writes a program that tells a version, and otherwise runs a shell script.
func fakeTool(t testing.TB, name, version, script string) (folder string) {
	t.Helper()
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no shell to write a program for")
	}
	folder = t.TempDir()
	text := "#!/bin/sh\nif [ \"$1\" = --version ]; then echo '" + name + " (PostgreSQL) " + version + "'; exit; fi\n" + script
	syscall.ForkLock.RLock() // a child of another test that holds the file open for writing would keep it from being run
	err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestAMissingOrOldProgramIsNamedBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), sqltest.DB(t, sqltest.Options{})
	dir := t.TempDir()
	err := backup.Dump(ctx, db, backup.DumpOptions{Path: filepath.Join(dir, "x"), ToolFolder: filepath.Join(dir, "absent")})
	if !errors.Is(err, backup.ErrToolNotFound) || !strings.Contains(err.Error(), "apt install postgresql-client") || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("a missing program: %v", err)
	}
	err = backup.Dump(ctx, db, backup.DumpOptions{Path: filepath.Join(dir, "x"), ToolFolder: fakeTool(t, "pg_dump", "9.6.24", "exit 9")})
	if !errors.Is(err, backup.ErrToolVersion) || !strings.Contains(err.Error(), "pg_dump 9.6.24") {
		t.Errorf("an old program: %v", err)
	}
	if left := list(t, dir); len(left) > 0 {
		t.Errorf("files: %q", left)
	}
}

func TestTheCommandLineNeverShowsHowToConnect(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	cfg := configOf(t, db)
	cfg.Password = "hush-hush"
	dir := t.TempDir()
	seen := filepath.Join(dir, "seen")
	script := `echo "$0 $@" >"` + seen + `"; cat "$PGPASSFILE" >>"` + seen + `"; ls -l "$PGPASSFILE" >>"` + seen + `"; echo "pg_dump: error: bad password hush-hush" >&2; exit 7`
	err := backup.Dump(context.Background(), openConfig(t, cfg), backup.DumpOptions{Path: filepath.Join(dir, "x"), ToolFolder: fakeTool(t, "pg_dump", "99.1", script)})
	var tool *backup.ToolError
	if !errors.As(err, &tool) || tool.ExitCode != 7 || tool.Stderr != "pg_dump: error: bad password ********" {
		t.Errorf("error: %#v", err)
	}
	text, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if strings.Contains(lines[0], "hush") || strings.Contains(lines[0], cfg.Hosts[0].Host) || lines[1] != "*:*:*:*:hush-hush" || !strings.HasPrefix(lines[2], "-rw------- ") {
		t.Errorf("the program has seen: %s", text)
	}
	passfile := lines[2][strings.LastIndex(lines[2], " ")+1:]
	if _, err := os.Stat(passfile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the password file %s is still there: %v", passfile, err)
	}
}

func TestAnArchiveOfANewerPgDumpIsNamed(t *testing.T) {
	t.Parallel()
	path := tempPath(t, "x")
	if err := os.WriteFile(path, []byte("PGDMP\x01\xff\x00\x04\x08\x01\x01\x00\x00\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := backup.Restore(context.Background(), openDB(t), backup.RestoreOptions{Path: path})
	if !errors.Is(err, backup.ErrToolVersion) || !strings.Contains(err.Error(), "newer pg_dump") {
		t.Error(err)
	}
}

func TestFilesInTheWayOfADump(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), openDB(t)
	dir := t.TempDir()
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := backup.Dump(ctx, db, backup.DumpOptions{Path: folder}); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a folder where a file should be: %v", err)
	}
	if err := backup.Dump(ctx, db, backup.DumpOptions{Path: folder, Format: backup.Directory}); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if err := backup.Dump(ctx, db, backup.DumpOptions{Path: folder, Format: backup.Directory}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a folder with a dump: %v", err)
	}
	if err := backup.Dump(ctx, db, backup.DumpOptions{Path: filepath.Join(dir, "absent", "x")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that does not exist: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Skip(err)
	}
	if err := backup.Dump(ctx, db, backup.DumpOptions{Path: link}); err != nil {
		t.Fatal(err)
	}
	if format, _, err := backup.Detect(filepath.Join(dir, "file")); err != nil || format != backup.Custom {
		t.Errorf("behind the link: %s, %v", format, err)
	}
}

func TestDetectGoesByContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"zstd.sql": "\x28\xb5\x2f\xfd", "other.tar": strings.Repeat("x", 257) + "ustar\x00"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := backup.Detect(path); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := backup.Detect(dir); err == nil || !strings.Contains(err.Error(), "toc.dat") {
		t.Errorf("a folder: %v", err)
	}
	err := backup.Restore(context.Background(), sqltest.DB(t, sqltest.Options{}), backup.RestoreOptions{Path: filepath.Join(dir, "absent.dump")})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
}
