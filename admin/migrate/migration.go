package migrate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Migration is one numbered change, as its files say it.
type Migration struct {
	Version int64
	Name    string // of the file, behind the number: "create_users"
	Up      Section
	Down    Section // its SQL is "" where there is no way back
}

// String is the number, with three digits at least, and the name: 001_create_users.
func (m Migration) String() string { return label(m.Version, m.Name) }

func label(version int64, name string) string { return fmt.Sprintf("%03d_%s", version, name) }

// Checksum is the SHA-256 of the up section, in hex. Line ends and blanks around the section do not count.
func (m Migration) Checksum() string {
	text := strings.ReplaceAll(m.Up.SQL, "\r\n", "\n")
	sum := sha256.Sum256([]byte(strings.TrimSpace(text)))
	return hex.EncodeToString(sum[:])
}

// Section is one direction of a migration.
type Section struct {
	File          string
	Line          int    // of the file where SQL begins, from 1
	SQL           string // with its comments
	NoTransaction bool   // the statements run one by one, outside of a transaction
}

// fileName is a number and a name, and for a pair of files the direction.
var fileName = regexp.MustCompile(`^([0-9]+)_(.+?)(\.up|\.down)?\.sql$`)

// Load reads the migrations at the root of a file system, in the order of their numbers. Folders, and files that do not
// end in .sql, are left out. Errors name the file, and for its contents the line.
func Load(fsys fs.FS) ([]Migration, error) {
	if fsys == nil {
		return nil, errors.New("migrate: the file system is nil")
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	found := map[int64]*Migration{}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".sql") {
			continue
		}
		if err := loadFile(fsys, e.Name(), found); err != nil {
			return nil, fmt.Errorf("migrate: %s: %w", e.Name(), err)
		}
	}
	if len(found) == 0 {
		if err := checkRoot(fsys); err != nil {
			return nil, err
		}
	}
	migrations := make([]Migration, 0, len(found))
	for _, version := range slices.Sorted(maps.Keys(found)) {
		m := *found[version]
		if m.Up.File == "" {
			return nil, fmt.Errorf("migrate: %s: there is no %s.up.sql", m.Down.File, strings.TrimSuffix(m.Down.File, ".down.sql"))
		}
		migrations = append(migrations, m)
	}
	return migrations, nil
}

// checkRoot says so when the migrations lie in a folder, as embed leaves them.
func checkRoot(fsys fs.FS) error {
	inside, err := fs.Glob(fsys, "*/*.sql")
	if err != nil || len(inside) == 0 {
		return nil
	}
	folder, _, _ := strings.Cut(inside[0], "/")
	return fmt.Errorf("migrate: no .sql file at the root of the file system, but in %q: pass fs.Sub(files, %q)", folder, folder)
}

func loadFile(fsys fs.FS, file string, found map[int64]*Migration) error {
	parts := fileName.FindStringSubmatch(file)
	if parts == nil {
		return fmt.Errorf("a migration's file is named 001_name.sql, 001_name.up.sql or 001_name.down.sql")
	}
	version, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return fmt.Errorf("the number %s is too large", parts[1])
	}
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return err
	}
	up, down, err := parse(string(text), parts[3])
	if err != nil {
		return err
	}
	m := found[version]
	if m == nil {
		m = &Migration{Version: version, Name: parts[2]}
		found[version] = m
	}
	if m.Name != parts[2] {
		return fmt.Errorf("version %d is also %s", version, cmp.Or(m.Up.File, m.Down.File))
	}
	return cmp.Or(place(&m.Up, up, file), place(&m.Down, down, file))
}

// place puts a section where the migration has none yet.
func place(at *Section, s *Section, file string) error {
	if s == nil {
		return nil
	}
	if at.File != "" {
		return fmt.Errorf("%s has that direction of the migration already", at.File)
	}
	*at = *s
	at.File = file
	return nil
}
