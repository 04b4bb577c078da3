package sqltest_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/sqltest"
)

func TestFakeSpeaksTLS(t *testing.T) {
	t.Parallel()
	f := sqltest.NewFakeWith(t, sqltest.FakeOptions{TLS: true, Every: sqltest.Script{
		sqltest.Accept(),
		sqltest.StepFunc(func(c *sqltest.FakeConn) error {
			if !c.Encrypted() {
				return errors.New("the session is in plain text")
			}
			return nil
		}),
		sqltest.ExpectSQL("select pg_sleep(3600)"), sqltest.ReplyCancelled('I'),
	}})
	addr := f.Listen().String()
	for _, negotiation := range []string{"", "&sslnegotiation=direct"} {
		conn := connect(t, "postgres://u@"+addr+"/db?sslmode=verify-full&sslrootcert="+f.RootCert()+negotiation)
		failed := make(chan error)
		go func() {
			_, err := ask(t, conn, "select pg_sleep(3600)")
			failed <- err
		}()
		if err := conn.CancelRequest(t.Context()); err != nil {
			t.Fatal(err)
		}
		var refused *pgconn.PgError
		if err := <-failed; !errors.As(err, &refused) || refused.Code != "57014" {
			t.Errorf("%s: error = %v", negotiation, err)
		}
		conn.Close(t.Context())
	}
}

func TestFakeCertificateIsOfItsOwnAuthority(t *testing.T) {
	t.Parallel()
	f := sqltest.NewFakeWith(t, sqltest.FakeOptions{TLS: true})
	pem, err := os.ReadFile(f.RootCert())
	if err != nil {
		t.Fatal(err)
	}
	ours := x509.NewCertPool()
	ours.AppendCertsFromPEM(pem)
	for _, tt := range []struct {
		roots *x509.CertPool
		name  string
		ok    bool
	}{{ours, "localhost", true}, {ours, "db.example", false}, {x509.NewCertPool(), "localhost", false}} {
		conn, err := f.Dial(t.Context(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		err = tls.Client(conn, &tls.Config{RootCAs: tt.roots, ServerName: tt.name}).HandshakeContext(t.Context())
		if (err == nil) != tt.ok {
			t.Errorf("handshake as %s = %v", tt.name, err)
		}
		conn.Close()
	}
	if plain := sqltest.NewFakeWith(t, sqltest.FakeOptions{}); plain.RootCert() != "" {
		t.Errorf("RootCert without TLS = %q", plain.RootCert())
	}
}

func TestFakePlaysOneScriptForEveryConnection(t *testing.T) {
	t.Parallel()
	f := sqltest.NewFakeWith(t, sqltest.FakeOptions{
		Scripts: []sqltest.Script{{sqltest.Fatal("57P03", "starting up")}},
		Every:   sqltest.Script{sqltest.Accept(), sqltest.ExpectSQL("select 1"), one("a")},
	})
	var refused *pgconn.PgError
	if _, err := dialFake(t.Context(), f); !errors.As(err, &refused) || refused.Code != "57P03" {
		t.Errorf("first connection: %v", err)
	}
	for range 3 {
		if got, err := ask(t, mustDial(t, f), "select 1"); got != "a" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestFakeRepliesInPartsAndLate(t *testing.T) {
	t.Parallel()
	f := sqltest.NewFake(t, sqltest.Script{
		sqltest.Accept(), sqltest.ExpectSQL("select 1"), sqltest.Delay(time.Millisecond),
		sqltest.ReplyParts(1, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")}, &pgproto3.ReadyForQuery{TxStatus: 'I'}),
	})
	conn := mustDial(t, f)
	if err := conn.Exec(t.Context(), "select 1").Close(); err != nil {
		t.Error(err)
	}
	r := &recorder{TB: t}
	late := sqltest.NewFake(r, sqltest.Script{sqltest.Accept(), sqltest.Delay(time.Hour)})
	mustDial(t, late)
	if got := r.end(); !strings.Contains(got, "during a delay") {
		t.Errorf("reported %q", got)
	}
}
