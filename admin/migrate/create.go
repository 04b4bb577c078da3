package migrate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Create writes a file for a new migration into a folder, with the next number and both markers, and returns its path. What
// is not a letter or digit in name becomes an underscore, capitals become small. A file that another Create makes at the same
// time is never overwritten.
func Create(dir, name string) (path string, err error) {
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("migrate: %w", err)
	}
	migrations, err := Load(os.DirFS(dir))
	if err != nil {
		return "", err
	}
	p := plan{migrations: migrations}
	safe := strings.Trim(strings.Map(fileRune, name), "_")
	if safe == "" {
		return "", fmt.Errorf("migrate: name %q has no letter or digit", name)
	}
	path = filepath.Join(dir, label(p.last()+1, safe)+".sql")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", fmt.Errorf("migrate: %w", err)
	}
	_, err = f.WriteString("-- UP\n\n\n-- DOWN\n\n")
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return "", fmt.Errorf("migrate: %w", err)
	}
	return path, nil
}

func fileRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return r
	case r >= 'A' && r <= 'Z':
		return r + 'a' - 'A'
	}
	return '_'
}
