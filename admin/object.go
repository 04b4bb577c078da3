package admin

import (
	"github.com/pycopg/pycopg/ext"
)

// The questions by which change finds out whether an object exists.
var (
	// of relations of all kinds: $1.$2 as a name means them
	relationQuestion = qualified(`select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = $2::pg_catalog.name and
  ` + inSchema)

	// of the relations beside which a new one $1.$2 would stand
	newRelationQuestion = qualified(`select from pg_catalog.pg_class c
where c.relname = $2::pg_catalog.name and c.relnamespace = case
       when $1::pg_catalog.text = '' then (select n.oid from pg_catalog.pg_namespace n where n.nspname = pg_catalog.current_schema())
       when $1::pg_catalog.text = 'pg_temp' then pg_catalog.pg_my_temp_schema()
       else (select n.oid from pg_catalog.pg_namespace n where n.nspname = $1::pg_catalog.name) end`)

	// of the relations $3 beside relation $1.$2: in its schema
	besideQuestion = qualified(`select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_class i on i.relnamespace = n.oid and i.relname = $3::pg_catalog.name
where c.relname = $2::pg_catalog.name and
  ` + inSchema)

	// of the columns $3 and constraints $3 of relation $1.$2
	columnQuestion = qualified(`select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = $3::pg_catalog.name and a.attnum > 0 and not a.attisdropped
where c.relname = $2::pg_catalog.name and
  ` + inSchema)
	constraintQuestion = qualified(`select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_constraint k on k.conrelid = c.oid and k.conname = $3::pg_catalog.name
where c.relname = $2::pg_catalog.name and
  ` + inSchema)

	schemaQuestion    = qualified(`select from pg_catalog.pg_namespace where nspname = $1::pg_catalog.name`)
	extensionQuestion = qualified(`select from pg_catalog.pg_extension where extname = $1::pg_catalog.name`)
	roleQuestion      = qualified(`select from pg_catalog.pg_roles where rolname = $1::pg_catalog.name`)
	databaseQuestion  = qualified(`select from pg_catalog.pg_database where datname = $1::pg_catalog.name`)
)

// DropOptions are the options of dropping. The zero value drops what nothing else depends on.
type DropOptions struct {
	Cascade bool // what depends on it is dropped as well
}

func (o DropOptions) sql() string {
	if o.Cascade {
		return " cascade"
	}
	return ""
}

// dropRelation is the statement that drops a relation; kind is SQL's word for it.
func dropRelation(kind, relation string, o DropOptions) (change, error) {
	n, err := ext.ParseName(relation)
	if err != nil {
		return change{}, err
	}
	return change{
		text:   "drop " + kind + " if exists " + n.String() + o.sql(),
		strict: "drop " + kind + " " + n.String() + o.sql(),
		object: question{relationQuestion, []string{n.Schema, n.Name}},
	}, nil
}

// dropNamed is the statement that drops an object with a literal name; kind is SQL's word for it.
func dropNamed(kind, object, query string, o DropOptions) (change, error) {
	quoted, err := name(kind, object)
	if err != nil {
		return change{}, err
	}
	return change{
		text:   "drop " + kind + " if exists " + quoted + o.sql(),
		strict: "drop " + kind + " " + quoted + o.sql(),
		object: question{query, []string{object}},
	}, nil
}

// creation is the statement that creates an object, strictly or where it does not exist. before stands in front of IF NOT
// EXISTS, after behind it; the question is whether the object exists.
func creation(ifNotExists bool, before, after string, object question) change {
	strict := before + " " + after
	if !ifNotExists {
		return change{text: strict, strict: strict, create: true}
	}
	return change{text: before + " if not exists " + after, strict: strict, object: object, create: true}
}
