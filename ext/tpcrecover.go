package ext

import (
	"context"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/internal/nilhandle"
)

// CommitPrepared commits a prepared transaction of q's database. It is safe to repeat: [ErrNotPrepared] says then that it
// was done. On a *sql.Conn inside a transaction it is [ErrInTransaction].
func CommitPrepared(ctx context.Context, q OutsideTx, xid Xid) error {
	return resolvePrepared(ctx, q, xid, "commit prepared")
}

// RollbackPrepared rolls back a prepared transaction of q's database, as [CommitPrepared] commits.
func RollbackPrepared(ctx context.Context, q OutsideTx, xid Xid) error {
	return resolvePrepared(ctx, q, xid, "rollback prepared")
}

func resolvePrepared(ctx context.Context, q OutsideTx, xid Xid, verb string) error {
	text, err := xid.sql(verb)
	if err != nil {
		return err
	}
	err = ExecOutsideTx(ctx, q, text)
	switch {
	case hasState(err, undefinedObject):
		return fmt.Errorf("ext: %w: %s: %w", ErrNotPrepared, text, err)
	case err != nil:
		return fmt.Errorf("ext: %s: %w", text, err)
	}
	return nil
}

// Prepared is a prepared transaction that waits for its second phase.
type Prepared struct {
	Xid      Xid
	At       time.Time // when it was prepared
	Owner    string    // the user that prepared it
	Database string    // the only one where it can be committed or rolled back
}

// recoverPrepared casts names to text: its columns are read the same by every driver.
const recoverPrepared = `
select gid, prepared, owner::text, database::text
  from pg_catalog.pg_prepared_xacts
 order by prepared, gid`

// RecoverPrepared lists the prepared transactions of the whole server, the oldest first: those of all databases, owners and
// programs.
func RecoverPrepared(ctx context.Context, q Querier) (found []Prepared, err error) {
	if err := nilhandle.Check(q); err != nil {
		return nil, fmt.Errorf("ext: recover prepared transactions: %w", err)
	}
	rows, err := q.QueryContext(ctx, recoverPrepared)
	if err != nil {
		return nil, fmt.Errorf("ext: recover prepared transactions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var p Prepared
		var gid string
		if err = rows.Scan(&gid, &p.At, &p.Owner, &p.Database); err == nil {
			p.Xid, err = ParseXid(gid)
		}
		if err != nil {
			return nil, fmt.Errorf("ext: recover prepared transactions: %w", err)
		}
		found = append(found, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("ext: recover prepared transactions: %w", err)
	}
	return found, nil
}
