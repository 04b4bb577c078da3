// Package sqltest gives tests a PostgreSQL server: a real one that is thrown away, a scripted one
// inside the process, or a real one behind a proxy that breaks connections.
//
//	func TestOrders(t *testing.T) {
//		t.Parallel()
//		db := sqltest.DB(t, sqltest.Options{Migrations: os.DirFS("migrations")})
//		defer sqltest.Check(t, db)
//		…
//	}
//
// The package has:
//
//   - [DB] and [DSN] make a fresh database for a test, a copy of a template that is filled once.
//   - [Server] is the server under them; [MinVersion] and [Extension] skip tests that it cannot run;
//     [RegisterProvider] adds a way to get one.
//   - [Check] fails a test that leaks connections, transactions or goroutines.
//   - [Start] starts a private server, in a test or in any program.
//   - [Tx] is a transaction of a test's own, which is rolled back.
//   - [Replica] is a primary and a standby that can take over; [PgBouncer] is a pooler.
//   - [Fault] is a proxy that cuts, resets, freezes, delays, corrupts and counts.
//   - [Fake] is a server that plays a script of protocol messages.
//
// Package sqltest/mock is go-sqlmock for PostgreSQL, for tests without a server; the module sqltest/docker starts servers in
// containers.
//
// # Environment
//
//	PYCOPG_TEST_DSN      a running server, used in place of all others; its user may create databases
//	PYCOPG_PG_BINDIR     the folder of initdb and postgres
//	PYCOPG_TEST_TLS      true: the shared server speaks TLS, and is reached over TCP with its certificate and password checked
//	PYCOPG_TEST_LINGER   how long a shared server stays after its last user, 10m say, to look at what failed
//	CI                   true: a test that finds no server fails where it would be skipped on a desk
//
// # Where servers live and how they end
//
// A server of this package has a folder of its own in a folder of the user, pycopg-<uid>, in the
// system's folder for temporary files. It listens on a unix socket in there, which asks for no
// password, and on a loopback port, which asks for a random one (SCRAM). It forces nothing to disk,
// and sorts texts by their bytes. As root, this package runs it as the user postgres or nobody.
//
// postgres is the child of a keeper: the program itself, started once more in a session of its own
// (an init function of this package takes over when the environment says so; init functions of
// packages that this one does not import may have run before it). Every process that uses the server
// holds a shared lock on a file in the server's folder, and the kernel takes the lock away when the
// process ends, however it ends. The keeper waits for an exclusive lock on that file. When it gets it,
// nobody uses the server any more: the keeper stops postgres, removes the folder and ends. So
// nothing is left after a panic, Ctrl-C, a time-out or SIGKILL. Should the keeper itself be killed,
// then on Linux the kernel ends postgres, elsewhere postgres ends when its folder is swept away; the
// folder is swept by the next program that starts a server. A PgBouncer is kept in the same way.
//
// The test processes of one go command share a server, which lives until the go command has ended:
// also between two packages, when no test runs. Two go commands at a time have two servers, so that roles,
// prepared transactions and replication slots of one do not meet the other's. Test processes that
// something else started share one server with each other, as long as one of them runs.
//
// All this works on Linux, macOS and other systems with flock. On Windows the server has TCP alone,
// the tests must not run as administrator, and the keeper's copy of the program stays until the next
// server is started.
package sqltest
