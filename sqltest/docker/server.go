package docker

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ory/dockertest/v3"
	dc "github.com/ory/dockertest/v3/docker"

	_ "github.com/pycopg/pycopg/driver" // registers the driver that waits for the server
	"github.com/pycopg/pycopg/sqltest"
)

// Options say which server runs in the container. The zero value is PostgreSQL 17 of the official image, which forces nothing to disk
// and keeps its data in memory.
type Options struct {
	Image    string            // "": postgres
	Tag      string            // "": 17
	Settings map[string]string // run-time parameters of the server, above fsync=off and the like
	Env      []string          // further variables of the container, NAME=value

	OnDisk    bool   // the data is in the container's file system, not in memory (tmpfs)
	TmpfsSize string // of the memory: "2g"; "": half of the machine's

	Fresh bool // a new container for the caller, who closes the Server; else one with the same options is used again
}

// Server is a PostgreSQL server in a container.
type Server struct {
	pool      *dockertest.Pool
	container *dockertest.Resource
	password  string
	address   string
}

const (
	postgresPort = "5432/tcp"
	dataFolder   = "/pgdata"
	superuser    = "postgres"
)

// defaultSettings make a server that is quick, forgets everything in a crash, and lets tests use every feature that has to be
// allowed when a server starts.
var defaultSettings = map[string]string{
	"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "400", "wal_level": "logical",
	"max_prepared_transactions": "64", "max_wal_senders": "16", "max_replication_slots": "16", "timezone": "UTC",
}

// Register makes servers in containers a way for sqltest.Server to get one. Call it ahead of the first test: in TestMain, or an init
// function.
func Register(o Options) { sqltest.RegisterProvider("docker", Provider(o)) }

// Provider is the function for sqltest.RegisterProvider. The container stays for the next test process; Options.Fresh is refused.
func Provider(o Options) sqltest.Provider {
	return func(ctx context.Context) (string, error) {
		if o.Fresh {
			return "", errors.New("docker: a fresh container would have nobody who closes it: use Start")
		}
		s, err := Start(ctx, o)
		if err != nil {
			return "", err
		}
		return s.DSN(""), nil
	}
}

// Start starts a container, or finds the one that runs with these options, and waits until its server accepts connections. The errors
// say which engine did not answer, or which image is missing. ctx ends the start, not the server.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("docker: %w", err)
	}
	return s, nil
}

func start(ctx context.Context, o Options) (*Server, error) {
	pool, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{pool: pool, password: o.password()}
	name := o.name()
	for range 2 { // another process may make the container at the same time
		if c, ok := pool.ContainerByName("^/" + name + "$"); ok && !o.Fresh {
			s.container = c
			break
		}
		if s.container, err = pool.RunWithOptions(o.run(name), o.host); err == nil {
			break
		}
		if !errors.Is(err, dc.ErrContainerAlreadyExists) {
			return nil, o.explain(err)
		}
	}
	if s.container == nil {
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		if o.Fresh {
			err = errors.Join(err, s.Close())
		}
		return nil, err
	}
	return s, nil
}

// connect finds the engine.
func connect(ctx context.Context) (*dockertest.Pool, error) {
	pool, err := dockertest.NewPool("")
	if err != nil {
		return nil, fmt.Errorf("no Docker engine: %w", err)
	}
	if err := pool.Client.PingWithContext(ctx); err != nil {
		return nil, fmt.Errorf("no Docker engine answers at %s (start one, or set DOCKER_HOST): %w", pool.Client.Endpoint(), err)
	}
	return pool, nil
}

// image is the image with its tag.
func (o Options) image() (repository, tag string) {
	return cmp.Or(o.Image, "postgres"), cmp.Or(o.Tag, "17")
}

// identity is what makes a container another one.
func (o Options) identity() string {
	repository, tag := o.image()
	sum := sha256.Sum256(fmt.Append(nil, repository, tag, o.arguments(), o.Env, o.OnDisk, o.TmpfsSize))
	return fmt.Sprintf("%x", sum[:8])
}

func (o Options) name() string {
	if o.Fresh {
		return "pycopg-sqltest-" + strings.ToLower(rand.Text()[:12])
	}
	return "pycopg-sqltest-" + o.identity()
}

// password is one that other processes with the same options know. The server listens on the loopback interface only.
func (o Options) password() string { return "sqltest-" + o.identity() }

// arguments are those of the server.
func (o Options) arguments() []string {
	settings := maps.Clone(defaultSettings)
	maps.Copy(settings, o.Settings)
	args := []string{"postgres"}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

func (o Options) run(name string) *dockertest.RunOptions {
	repository, tag := o.image()
	return &dockertest.RunOptions{
		Name: name, Repository: repository, Tag: tag, Cmd: o.arguments(),
		Env:          append([]string{"POSTGRES_PASSWORD=" + o.password(), "PGDATA=" + dataFolder}, o.Env...),
		ExposedPorts: []string{postgresPort},
		PortBindings: map[dc.Port][]dc.PortBinding{postgresPort: {{HostIP: "127.0.0.1"}}},
		Labels:       map[string]string{"pycopg.sqltest": "server"},
	}
}

// host is how the engine runs the container.
func (o Options) host(h *dc.HostConfig) {
	if o.OnDisk {
		return
	}
	options := "rw"
	if o.TmpfsSize != "" {
		options += ",size=" + o.TmpfsSize
	}
	h.Tmpfs = map[string]string{dataFolder: options}
}

// explain names the image where that is what is missing.
func (o Options) explain(err error) error {
	repository, tag := o.image()
	if errors.Is(err, dc.ErrNoSuchImage) || strings.Contains(err.Error(), "pull") || strings.Contains(err.Error(), "registry") ||
		strings.Contains(err.Error(), "no such host") || strings.Contains(err.Error(), "manifest") {
		return fmt.Errorf("the image %s:%s is not there and cannot be pulled (image.sh makes one of an installed PostgreSQL): %w", repository, tag, err)
	}
	return fmt.Errorf("run %s:%s: %w", repository, tag, err)
}

// await waits until the server lets a client in over TCP, which it does once it has been set up.
func (s *Server) await(ctx context.Context) error {
	s.address = s.container.GetHostPort(postgresPort)
	if s.address == "" {
		return fmt.Errorf("container %s publishes no port for PostgreSQL", s.Name())
	}
	db, err := sql.Open("pycopg", s.DSN(""))
	if err != nil {
		return err
	}
	defer db.Close()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		if c, gone := s.pool.Client.InspectContainerWithContext(s.container.Container.ID, ctx); gone == nil && !c.State.Running {
			return fmt.Errorf("container %s has ended with code %d (docker logs %s)", s.Name(), c.State.ExitCode, s.Name())
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("the server in container %s does not answer: %w: %w", s.Name(), context.Cause(ctx), err)
		}
	}
}

// Name is the container's name.
func (s *Server) Name() string { return strings.TrimPrefix(s.container.Container.Name, "/") }

// DSN returns a connection string for the superuser in database dbname, "" being "postgres".
func (s *Server) DSN(dbname string) string {
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		host = s.address
	}
	if host == "0.0.0.0" {
		host = "127.0.0.1"
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, s.password), Host: net.JoinHostPort(host, port),
		Path: "/" + cmp.Or(dbname, "postgres"), RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Close stops the container and removes it with its data, also one that others use.
func (s *Server) Close() error {
	if err := s.pool.Purge(s.container); err != nil {
		return fmt.Errorf("docker: remove container %s: %w", s.Name(), err)
	}
	return nil
}
