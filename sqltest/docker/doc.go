// Package docker gives package sqltest servers that run in Docker containers, on ory/dockertest. It is a module of its own, so that
// only those who use it have Docker's client among their dependencies.
//
//	func TestMain(m *testing.M) {
//		docker.Register(docker.Options{Tag: "18"})
//		os.Exit(m.Run())
//	}
//
// sqltest.Server asks it last, where PYCOPG_TEST_DSN names no server and no programs of PostgreSQL are installed. So a program's tests run on a
// desk with PostgreSQL, on one with Docker, and are skipped on one with neither, with both reasons.
//
// # Containers
//
// A container is found again by its options: it is started by the first test process that asks for it, serves all that follow, and
// stays until "docker rm -f", as [Server.Name] says. Databases of tests are dropped in it as on any other server. [Start] with
// Options.Fresh makes a container that belongs to the caller.
//
// DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH say where the engine is, as for the docker command.
//
// # Images
//
// The image is the official postgres, or one that takes the same settings: POSTGRES_PASSWORD, PGDATA, and arguments for the server. It
// is pulled where the engine does not have it. image.sh beside this file makes one of the PostgreSQL that is installed on the machine,
// for networks without a registry.
package docker
