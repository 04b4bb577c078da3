package migrate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/migrate"
)

func TestCreateWritesTheNextFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct{ name, want string }{
		{"create users", "001_create_users.sql"}, {"../Add E-Mail!", "002_add_e_mail.sql"},
	} {
		path, err := migrate.Create(dir, c.name)
		if err != nil || path != filepath.Join(dir, c.want) {
			t.Errorf("%q: %s, %v", c.name, path, err)
		}
	}
	if _, err := migrate.Create(dir, "é!"); err == nil {
		t.Error("a name without letters is no error")
	}
	if _, err := migrate.Create(filepath.Join(dir, "absent"), "x"); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("a folder that does not exist: %v, want an error that names it", err)
	}
	migrations, err := migrate.Load(os.DirFS(dir))
	if err != nil || len(migrations) != 2 || migrations[1].Down.SQL != "" {
		t.Errorf("the new files: %+v, %v", migrations, err)
	}
}
