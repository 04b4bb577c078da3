package sqltest

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
)

// StartOptions say what the server of Start is like. The zero value is a server for tests and demonstrations.
type StartOptions struct {
	BinDir   string            // folder of initdb and postgres; "": found as Server finds it
	Settings map[string]string // lines of postgresql.conf, above the defaults of this package
	Files    map[string]string // further files of the data folder, by name, for the server's user alone: keys, certificates
	HBA      []string          // lines of pg_hba.conf, instead of: trust on the socket, SCRAM on TCP
	Password string            // of the superuser postgres, for SCRAM; "": a random one
	TLS      bool              // the server speaks TLS with a certificate of its own authority (Instance.RootCert)
}

// Start starts a private server and waits until it accepts connections. It needs neither a test nor
// anything but PostgreSQL's programs; where these are missing the error says how to install them.
//
// The server lives until Close, or until the program ends in whatever way: also after SIGKILL it is
// stopped and its folder removed. ctx ends the start, not the server.
func Start(ctx context.Context, o StartOptions) (*Instance, error) {
	in, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("sqltest: start a server: %w", err)
	}
	return in, nil
}

func start(ctx context.Context, o StartOptions) (*Instance, error) {
	for name := range o.Files {
		if !filepath.IsLocal(name) {
			return nil, fmt.Errorf("file %q is not in the data folder", name)
		}
	}
	if o.BinDir == "" {
		dir, err := findBinaries()
		if err != nil {
			return nil, err
		}
		o.BinDir = dir
	} else if !hasServer(o.BinDir) {
		return nil, &missingError{tried: []string{o.BinDir}}
	}
	dir, err := newServerDir()
	if err != nil {
		return nil, err
	}
	return launch(ctx, spec{
		Dir: dir, BinDir: o.BinDir, Settings: o.Settings, Files: o.Files, HBA: o.HBA, Password: orRandom(o.Password), TLS: o.TLS,
	})
}

// launch starts a keeper and describes its server.
func launch(ctx context.Context, s spec) (*Instance, error) {
	k, r, err := startKeeper(ctx, s)
	if err != nil {
		return nil, err
	}
	return &Instance{
		at:     address{Dir: s.Dir, Port: r.Port, Password: s.Password, TLS: s.TLS},
		spec:   s,
		major:  r.Version,
		keeper: k,
	}, nil
}

func orRandom(password string) string {
	if password == "" {
		return rand.Text()
	}
	return password
}
