package admin

import (
	"context"
	"strconv"

	"github.com/pycopg/pycopg/ext"
)

// Sequence is a sequence.
type Sequence struct {
	Schema    string
	Name      string
	Type      string // bigint, integer or smallint
	Start     int64
	Min       int64
	Max       int64
	Increment int64
	Cache     int64 // values that a session takes at a time
	Cycle     bool
	Last      *int64 // the last value that a session has taken; nil before the first, and where the user may not see it
	Table     string // of the column that it belongs to (serial and identity columns), with its schema as SQL writes them; "" for none
	Column    string
	Owner     string
	Comment   string
}

// QualifiedName is the sequence's name as the functions of this package take it.
func (s Sequence) QualifiedName() string { return ext.QuoteName(s.Schema, s.Name) }

var sequencesQuery = qualified(`
select n.nspname as schema, c.relname as name, pg_catalog.format_type(s.seqtypid, null) as type,
       s.seqstart as start, s.seqmin as min, s.seqmax as max, s.seqincrement as increment, s.seqcache as cache, s.seqcycle as cycle,
       case when pg_catalog.has_sequence_privilege(c.oid, 'select,usage') then pg_catalog.pg_sequence_last_value(c.oid) end as last,
       coalesce(pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname), '') as "table",
       coalesce(a.attname, '') as "column",
       pg_catalog.pg_get_userbyid(c.relowner) as owner,
       coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') as comment
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_sequence s on s.seqrelid = c.oid
left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.objsubid = 0
  and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.deptype = any ('{a,i}'::pg_catalog."char"[])
left join pg_catalog.pg_class t on t.oid = d.refobjid
left join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
left join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
where case when $1::pg_catalog.text = '' then $2::pg_catalog.bool or ` + userSchema + ` else n.nspname = $1::pg_catalog.name end
order by n.nspname, c.relname`)

// ListSequences returns the sequences of a schema, by name, or of all schemas where it is "".
func ListSequences(ctx context.Context, q ext.Querier, schema string, o ListOptions) ([]Sequence, error) {
	return inSchemas[Sequence](ctx, q, "sequences", schema, sequencesQuery, o)
}

// SequenceOptions are the options of [CreateSequence]. What is zero or nil is the server's default.
type SequenceOptions struct {
	IfNotExists bool
	Temporary   bool
	Type        string // SQL: bigint, integer, smallint
	Start       *int64
	Min         *int64
	Max         *int64
	Increment   int64
	Cache       int64
	Cycle       bool

	// OwnedByTable and OwnedByColumn name the column with which the sequence is dropped.
	OwnedByTable, OwnedByColumn string
}

// CreateSequence creates a sequence, and returns whether it did.
func CreateSequence(ctx context.Context, q ext.Querier, sequence string, o SequenceOptions) (created bool, err error) {
	ch, err := createSequence(sequence, o)
	return ch.decide(ctx, q, err, "create sequence", sequence)
}

func createSequence(sequence string, o SequenceOptions) (change, error) {
	n, err := ext.ParseName(sequence)
	if err != nil {
		return change{}, err
	}
	text := n.String()
	if o.Type != "" {
		if err := single("type", o.Type); err != nil {
			return change{}, err
		}
		text += " as " + o.Type
	}
	for _, option := range []struct {
		clause string
		value  *int64
	}{{"increment by", nonZero(o.Increment)}, {"minvalue", o.Min}, {"maxvalue", o.Max}, {"start with", o.Start}, {"cache", nonZero(o.Cache)}} {
		if option.value != nil {
			text += " " + option.clause + " " + strconv.FormatInt(*option.value, 10)
		}
	}
	if o.Cycle {
		text += " cycle"
	}
	if o.OwnedByTable != "" {
		table, err := relation(o.OwnedByTable)
		if err != nil {
			return change{}, err
		}
		column, err := name("column", o.OwnedByColumn)
		if err != nil {
			return change{}, err
		}
		text += " owned by " + table + "." + column
	}
	before, where := "create sequence", n.Schema
	if o.Temporary {
		before, where = "create temporary sequence", "pg_temp"
	}
	return creation(o.IfNotExists, before, text, question{newRelationQuestion, []string{where, n.Name}}), nil
}

func nonZero(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// SetSequence makes the next value of a sequence the one after last. It is not undone by a rollback.
func SetSequence(ctx context.Context, q ext.Querier, sequence string, last int64) error {
	text, err := relation(sequence)
	if err == nil {
		_, err = value[int64](ctx, q, "select pg_catalog.setval($1::pg_catalog.regclass, $2::pg_catalog.int8)", text, last)
		err = explain(ctx, q, sequence, err)
	}
	if err != nil {
		return refused("set sequence", sequence, err)
	}
	return nil
}

// DropSequence drops a sequence where it exists, and returns whether it did.
func DropSequence(ctx context.Context, q ext.Querier, sequence string, o DropOptions) (dropped bool, err error) {
	ch, err := dropRelation("sequence", sequence, o)
	return ch.decide(ctx, q, err, "drop sequence", sequence)
}
