package driver

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// copyTarget asks for the columns that a COPY without a column list fills, with their types; those of domains are what the
// domain is over. It finds nothing, and is no error, where there is no such table: that is COPY's to say.
const copyTarget = `with recursive col(num, name, type) as (
	select attnum, attname, atttypid from pg_catalog.pg_attribute
	where attrelid = pg_catalog.to_regclass($1) and attnum > 0 and not attisdropped GENERATED
	union all
	select num, name, t.typbasetype from col join pg_catalog.pg_type t on t.oid = col.type where t.typtype = 'd'
)
select name, type from col join pg_catalog.pg_type t on t.oid = col.type where t.typtype <> 'd' order by num`

// copyTargetSQL is copyTarget for a server version. Generated columns are as old as version 12.
func copyTargetSQL(version int) string {
	const firstWithGenerated = 120000
	generated := ""
	if version >= firstWithGenerated {
		generated = "and attgenerated = ''"
	}
	return strings.ReplaceAll(copyTarget, "GENERATED", generated)
}

// targetColumn is a column of the table that a COPY fills.
type targetColumn struct {
	name string
	oid  uint32
}

// askTarget appends the question for the columns of table, with a Sync of its own.
func askTarget(dst []byte, version int, table string) []byte {
	dst = appendParse(dst, "", copyTargetSQL(version), nil)
	dst, _ = appendBind(dst, "", 1, func(dst []byte, _ int) ([]byte, int16, error) {
		dst, _, err := setLength(append(append(dst, nullLength...), table...), len(dst), textFormat, table)
		return dst, textFormat, err
	}, nil)
	return appendSync(appendExecute(dst))
}

// readTarget reads the answer, up to its ReadyForQuery. lost says that the connection is.
func (e *engine) readTarget() (columns []targetColumn, failure, lost error) {
	for {
		msg, err := e.next()
		if err != nil {
			return nil, nil, err
		}
		switch msg := msg.(type) {
		case *pgproto3.DataRow:
			if len(msg.Values) != 2 {
				continue
			}
			oid, _ := strconv.ParseUint(string(msg.Values[1]), 10, 32)
			columns = append(columns, targetColumn{name: string(msg.Values[0]), oid: uint32(oid)})
		case *pgproto3.ErrorResponse:
			if failure == nil {
				failure = newServerError(msg)
			}
		case *pgproto3.ReadyForQuery:
			return columns, failure, nil
		}
	}
}

// targetTypes are the types of the n columns of a COPY, 0 for what is not known.
func (cs copyStatement) targetTypes(columns []targetColumn, n int) []uint32 {
	oids := make([]uint32, n)
	if cs.columns == nil {
		if len(columns) == n {
			for i, c := range columns {
				oids[i] = c.oid
			}
		}
		return oids
	}
	for i, name := range cs.columns {
		for _, c := range columns {
			if c.name == name && i < n {
				oids[i] = c.oid
			}
		}
	}
	return oids
}

// askable reports whether the server reads the table's name in a value as it does in the statement.
func (cs copyStatement) askable() bool { return cs.table != "" && !strings.Contains(cs.table, "&") }

// sendCopyAndAsk sends the COPY, and with it the question for its target: in one write, unless a BEGIN is ahead of them:
// behind a failed one the COPY would run outside of a transaction.
func (e *engine) sendCopyAndAsk(sql string, cs copyStatement, version int) (columns []targetColumn, err error) {
	if !cs.askable() {
		return nil, e.sendCopy(sql)
	}
	together := !e.goesFirst()
	request := askTarget(e.open(), version, cs.table)
	if together {
		request = appendQuery(request, sql)
	}
	if err := e.dispatch(request); err != nil {
		return nil, err
	}
	columns, failure, lost := e.readTarget()
	switch {
	case lost != nil:
		return nil, lost
	case failure != nil && e.status() != 'I', e.beginErr != nil:
		err = failure // the COPY says no more than that the transaction has failed
	}
	if together {
		e.inFlight = true // the COPY is
		return columns, err
	}
	if err != nil {
		return nil, err
	}
	return columns, e.sendCopy(sql)
}
