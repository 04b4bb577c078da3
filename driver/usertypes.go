package driver

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// userType is what is known of one of the database's own types.
type userType struct {
	base  uint32 // of a domain: the type below all domains; else the type itself
	elem  uint32 // of an array: the type of its elements
	delim byte   // between those
	kind  byte   // of base, as in pg_type.typtype: b(ase), c(omposite), e(num), m(ultirange), r(ange); 0 when the server knows no such type
}

// userTypes are the own types of a database that parameters have had, for all connections of a pool. A nil *userTypes knows
// none.
type userTypes struct {
	sync.RWMutex
	known map[uint32]userType
}

// maxUserTypes bounds what is kept; beyond it the types are asked for again.
const maxUserTypes = 10000

func newUserTypes() *userTypes { return &userTypes{known: make(map[uint32]userType)} }

func (u *userTypes) find(oid uint32) (t userType, ok bool) {
	if u == nil || oid < firstUserOID {
		return userType{}, false
	}
	u.RLock()
	defer u.RUnlock()
	t, ok = u.known[oid]
	return t, ok
}

func (u *userTypes) learn(found map[uint32]userType) {
	u.Lock()
	defer u.Unlock()
	if len(u.known) > maxUserTypes {
		clear(u.known)
	}
	for oid, t := range found {
		u.known[oid] = t
	}
}

// missing lists what is to be asked before args can be encoded for parameters of the types: own types that are not known,
// where the argument's encoding depends on them.
func (c *codecs) missing(params []uint32, args []any) (oids []uint32) {
	if c.user == nil {
		return nil
	}
	for i, oid := range params {
		if oid < firstUserOID || i >= len(args) || c.sameForAllTypes(args[i]) {
			continue
		}
		t, known := c.user.find(oid)
		if _, registered := c.types.TypeForOID(oid); registered {
			continue
		}
		if elem := t.elem; known && elem >= firstUserOID {
			oid = elem
			_, known = c.user.find(elem)
		}
		if !known && !slices.Contains(oids, oid) {
			oids = append(oids, oid)
		}
	}
	return oids
}

// sameForAllTypes tells whether an argument has one text, whatever the parameter's type.
func (c *codecs) sameForAllTypes(arg any) bool {
	if jsonDiffers(arg) || !c.textSafe(arg) {
		return false
	}
	switch arg.(type) {
	case nil, string, bool, float64:
		return true
	}
	_, _, ok := integer(arg)
	return ok
}

// userTypesQuery finds the types below domains, and the elements of arrays.
const userTypesQuery = `with recursive t as (
	select oid, oid as base from pg_catalog.pg_type where oid = any ($1::pg_catalog.oid[])
	union all
	select t.oid, d.typbasetype from t join pg_catalog.pg_type d on d.oid = t.base where d.typtype = 'd'
)
select t.oid, b.oid, case when b.typcategory = 'A' then b.typelem else 0 end, b.typdelim, b.typtype
from t join pg_catalog.pg_type b on b.oid = t.base where b.typtype <> 'd'`

// learnTypes asks for the own types that args need, once for the pool, and reports whether it asked.
func (e *engine) learnTypes(params []uint32, args []any) (asked bool, err error) {
	for range 2 { // the types, then those of the elements of arrays
		oids := e.codecs.missing(params, args)
		if len(oids) == 0 {
			break
		}
		asked = true
		if err := e.askTypes(oids); err != nil {
			return true, err
		}
	}
	askedInfos, err := e.learnInfos(params, args)
	return asked || askedInfos, err
}

// typesToAsk is the argument of userTypesQuery, and what is known where it finds nothing.
func typesToAsk(oids []uint32) (list string, found map[uint32]userType) {
	var b strings.Builder
	found = make(map[uint32]userType)
	for i, oid := range oids {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(strconv.FormatUint(uint64(oid), 10))
		found[oid] = userType{base: oid}
	}
	b.WriteByte('}')
	return b.String(), found
}

func (e *engine) askTypes(oids []uint32) error {
	list, found := typesToAsk(oids)
	err := e.ask(userTypesQuery, []any{list}, func(row *pgproto3.DataRow) {
		if oid, t, ok := parseUserType(row.Values); ok {
			found[oid] = t
		}
	})
	if err != nil {
		return err
	}
	e.codecs.user.learn(found)
	return nil
}

// ask runs a query of the driver's own ahead of a statement, unseen by hooks, with texts as arguments. row gets the values as text,
// in shared memory.
func (e *engine) ask(query string, args []any, row func(*pgproto3.DataRow)) error {
	buf := appendParse(e.open(), "", query, nil)
	buf, err := appendBind(buf, "", len(args), func(dst []byte, i int) ([]byte, int16, error) {
		dst, _, err := e.codecs.appendTextParam(dst, args[i])
		return dst, textFormat, err
	}, nil)
	if err != nil {
		e.give(buf)
		return err
	}
	if err := e.dispatch(appendSync(appendExecute(buf))); err != nil {
		return err
	}
	var failure error
	for {
		msg, err := e.next()
		if err != nil {
			return err
		}
		switch msg := msg.(type) {
		case *pgproto3.DataRow:
			row(msg)
		case *pgproto3.ErrorResponse:
			failure = newServerError(msg)
		case *pgproto3.ReadyForQuery:
			return failure
		}
	}
}

// parseUserType reads a row of userTypesQuery.
func parseUserType(row [][]byte) (oid uint32, t userType, ok bool) {
	if len(row) != 5 || len(row[3]) != 1 || len(row[4]) != 1 {
		return 0, t, false
	}
	var numbers [3]uint32
	for i := range numbers {
		n, err := strconv.ParseUint(string(row[i]), 10, 32)
		if err != nil {
			return 0, t, false
		}
		numbers[i] = uint32(n)
	}
	return numbers[0], userType{base: numbers[1], elem: numbers[2], delim: row[3][0], kind: row[4][0]}, true
}
