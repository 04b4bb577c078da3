package backup_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/backup"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

func TestTheProgramsCheckTheServersCertificateAsTheHandleDoes(t *testing.T) {
	t.Parallel()
	needTools(t)
	ctx := context.Background()
	server, err := sqltest.Start(ctx, sqltest.StartOptions{TLS: true})
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal(err)
	case err != nil:
		t.Skip(err) // PYCOPG_TEST_DSN may be all that there is
	}
	defer server.Close()
	cfg, err := driver.ParseConfig(server.TCP(""))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.SSLMode != "verify-full" {
		t.Fatalf("sslmode %q", cfg.SSLMode)
	}
	db := openConfig(t, cfg)
	mustExec(t, db, "create table a ()")
	var buf bytes.Buffer
	if err := backup.Dump(ctx, db, backup.DumpOptions{Writer: &buf, Format: backup.Plain}); err != nil || !strings.Contains(buf.String(), "CREATE TABLE public.a") {
		t.Errorf("%v\n%s", err, buf.String())
	}
}
