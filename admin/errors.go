package admin

import "errors"

var (
	// ErrTableNotFound is the error of asking about a table, view or sequence that does not exist, or that is something else. It has
	// SQLSTATE 42P01, as the server's own error has, and says when there is one whose name is written in lower case.
	ErrTableNotFound = errors.New("no such table")

	// ErrRoleNotFound is the error of asking about a role that does not exist.
	ErrRoleNotFound = errors.New("no such role")

	// ErrExtensionNotAvailable is the error of what needs an extension that the database does not have. The message says whether
	// the server has it, so that CREATE EXTENSION is all that is missing, or not.
	ErrExtensionNotAvailable = errors.New("admin: extension not available")

	// ErrCurrentDatabase is the error of dropping the database that the connection is in.
	ErrCurrentDatabase = errors.New("the connection is in this database")

	// ErrSystemObject is the error of changing or dropping what belongs to PostgreSQL itself. Nothing was sent.
	ErrSystemObject = errors.New("it is PostgreSQL's own")

	// ErrInvalidIndex is the error of CreateIndexConcurrently with IfNotExists where an index of that name exists that is not
	// valid: another session is building it, or a build has failed and left it behind.
	ErrInvalidIndex = errors.New("the index exists and is not valid")
)
