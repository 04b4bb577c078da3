package admin

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// passwords are what the server and its clients treat in a way of its own.
var passwords = []string{
	"secret123", "with 'quotes' and \\ and \"", "pässwörd", "a\u0301 decomposed", "ﬁ ligature", "²³", "no\u00a0break", "so\u00adft", "\u00ad", "zero\u200bwidth", "emoji 😀", "family 👨\u200d👩\u200d👧", "heart ❤\ufe0f",
	"شكر", "شكرا1", "1شكرا", "שלום abc", "日本語ＡＢＣ", "tab\tnew\nline", "\u0221 unassigned", "\u2028", "\ue000", " ", "ẞ", "ǆ", "\u0340", "\U000e0001", "Ⅳ", "ᄀ\u1161", strings.Repeat("long ", 300),
}

// serverVerifier is what the server makes of a clear password.
func serverVerifier(t testing.TB, db *sql.DB, role, password string) string {
	t.Helper()
	quoted, err := literal(password)
	if err != nil {
		t.Fatal(err)
	}
	var verifier string
	if _, err := db.Exec("alter role " + ext.QuoteName(role) + " password " + quoted); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow("select rolpassword from pg_authid where rolname = $1", role).Scan(&verifier); err != nil {
		t.Fatal(err)
	}
	return verifier
}

func testRole(t testing.TB, db *sql.DB) string {
	role := "scram_test_" + strings.ToLower(rand.Text()[:12])
	if _, err := CreateRole(context.Background(), db, role, RoleOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { DropRole(context.Background(), db, role, DropRoleOptions{}) })
	return role
}

// compareVerifier makes a verifier with the salt of the server's.
func compareVerifier(t testing.TB, db *sql.DB, role, password string) {
	t.Helper()
	theirs := serverVerifier(t, db, role, password)
	head, salt, _ := strings.Cut(strings.Split(theirs, "$")[1], ":")
	iterations, err := strconv.Atoi(head)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(salt)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := scramVerifier(password, raw, iterations)
	if err != nil || ours != theirs {
		t.Errorf("%q: %s, %v; the server has %s", password, ours, err, theirs)
	}
}

func TestVerifiersAreTheServers(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	role := testRole(t, db)
	for _, password := range passwords {
		compareVerifier(t, db, role, password)
	}
}

func FuzzVerifiers(f *testing.F) {
	for _, password := range passwords {
		f.Add(password)
	}
	db := sqltest.DB(f, sqltest.Options{})
	role := testRole(f, db)
	f.Fuzz(func(t *testing.T, password string) {
		if password == "" || !utf8.ValidString(password) || strings.ContainsRune(password, 0) || len(password) > 900 || verifierForm.MatchString(password) || strings.HasPrefix(password, "SCRAM-SHA-256$") || strings.HasPrefix(password, "md5") {
			return
		}
		compareVerifier(t, db, role, password)
	})
}

func TestPasswordsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"", "hidden\x00word"} {
		if _, err := ScramVerifier(password); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("ScramVerifier(%q): %v", password, err)
		}
	}
	for _, o := range []RoleOptions{{Password: "hidden", Verifier: testVerifier}, {Verifier: "hidden"}, {Verifier: "SCRAM-SHA-256$0:hidden$a:b"}, {Password: "hidden\x00"}} {
		if _, err := createRole("r", o); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("createRole: %v", err)
		}
	}
	for _, c := range []RoleChange{{NoPassword: true, Password: "hidden"}, {ConnLimit: p(-2)}, {}} {
		if _, err := alterRole("r", c); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("alterRole: %v", err)
		}
	}
}
