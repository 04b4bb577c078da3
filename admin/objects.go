package admin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// Objects are objects of one kind, for [Grant], [Revoke] and [CommentOn]. They are made by Tables, Schemas and the other functions that
// return them.
type Objects struct {
	kind  *objectKind
	given []string // as they were given
	names []string // SQL
	err   error    // of a name
}

// objectKind says how SQL names objects of a kind.
type objectKind struct {
	grant   string // the words behind GRANT … ON, "" where there are no privileges
	comment string // the words behind COMMENT ON, "" where there are no comments
}

func objects(kind *objectKind, names []string, sql func(string) (string, error)) Objects {
	o := Objects{kind: kind, given: names}
	if len(names) == 0 {
		o.err = errors.New("no object is named")
	}
	for _, text := range names {
		quoted, err := sql(text)
		if err != nil {
			o.err = err
		}
		o.names = append(o.names, quoted)
	}
	return o
}

// literally quotes names that are taken literally.
func literally(what string) func(string) (string, error) {
	return func(text string) (string, error) { return name(what, text) }
}

var (
	tableObjects      = &objectKind{"table", "table"}
	viewObjects       = &objectKind{"table", "view"}
	matViewObjects    = &objectKind{"table", "materialized view"}
	sequenceObjects   = &objectKind{"sequence", "sequence"}
	indexObjects      = &objectKind{"", "index"}
	functionObjects   = &objectKind{"function", "function"}
	procedureObjects  = &objectKind{"procedure", "procedure"}
	routineObjects    = &objectKind{"routine", "routine"}
	schemaObjects     = &objectKind{"schema", "schema"}
	databaseObjects   = &objectKind{"database", "database"}
	typeObjects       = &objectKind{"type", "type"}
	domainObjects     = &objectKind{"domain", "domain"}
	languageObjects   = &objectKind{"language", "language"}
	lobObjects        = &objectKind{"large object", "large object"}
	tablespaceObjects = &objectKind{"tablespace", "tablespace"}
	wrapperObjects    = &objectKind{"foreign data wrapper", "foreign data wrapper"}
	serverObjects     = &objectKind{"foreign server", "server"}
	parameterObjects  = &objectKind{"parameter", ""}
	roleObjects       = &objectKind{"", "role"}
	extensionObjects  = &objectKind{"", "extension"}
	columnObjects     = &objectKind{"", "column"}
	constraintObjects = &objectKind{"", "constraint"}
	allTables         = &objectKind{"all tables in schema", ""}
	allSequences      = &objectKind{"all sequences in schema", ""}
	allFunctions      = &objectKind{"all functions in schema", ""}
	allProcedures     = &objectKind{"all procedures in schema", ""}
	allRoutines       = &objectKind{"all routines in schema", ""}
)

// Tables are tables and, for privileges, views and what else can stand in FROM.
func Tables(tables ...string) Objects { return objects(tableObjects, tables, relation) }

// Views are views.
func Views(views ...string) Objects { return objects(viewObjects, views, relation) }

// MaterializedViews are materialized views.
func MaterializedViews(views ...string) Objects { return objects(matViewObjects, views, relation) }

// Sequences are sequences.
func Sequences(sequences ...string) Objects { return objects(sequenceObjects, sequences, relation) }

// Indexes are indexes. They have comments and no privileges.
func Indexes(indexes ...string) Objects { return objects(indexObjects, indexes, relation) }

// Functions are functions, with the types of their arguments where several have a name: "app.area(numeric, numeric)". The types are
// SQL.
func Functions(functions ...string) Objects { return objects(functionObjects, functions, signature) }

// Procedures are procedures, named as [Functions] are.
func Procedures(procedures ...string) Objects {
	return objects(procedureObjects, procedures, signature)
}

// Routines are functions, procedures and aggregates, named as [Functions] are.
func Routines(routines ...string) Objects { return objects(routineObjects, routines, signature) }

// Schemas are schemas themselves; for what is in them see [AllTables] and its like.
func Schemas(schemas ...string) Objects { return objects(schemaObjects, schemas, literally("schema")) }

// Databases are databases.
func Databases(databases ...string) Objects {
	return objects(databaseObjects, databases, literally("database"))
}

// Types are types.
func Types(types ...string) Objects { return objects(typeObjects, types, relation) }

// Domains are domains.
func Domains(domains ...string) Objects { return objects(domainObjects, domains, relation) }

// Languages are languages that functions are written in.
func Languages(languages ...string) Objects {
	return objects(languageObjects, languages, literally("language"))
}

// LargeObjects are large objects.
func LargeObjects(oids ...uint32) Objects {
	texts := make([]string, len(oids))
	for i, oid := range oids {
		texts[i] = strconv.FormatUint(uint64(oid), 10)
	}
	return objects(lobObjects, texts, func(text string) (string, error) { return text, nil })
}

// Tablespaces are tablespaces.
func Tablespaces(tablespaces ...string) Objects {
	return objects(tablespaceObjects, tablespaces, literally("tablespace"))
}

// ForeignDataWrappers are foreign-data wrappers.
func ForeignDataWrappers(wrappers ...string) Objects {
	return objects(wrapperObjects, wrappers, literally("foreign-data wrapper"))
}

// ForeignServers are foreign servers.
func ForeignServers(servers ...string) Objects {
	return objects(serverObjects, servers, literally("server"))
}

// Parameters are run-time parameters: "work_mem" (PostgreSQL 15).
func Parameters(parameters ...string) Objects {
	return objects(parameterObjects, parameters, settingName)
}

// Roles are roles. They have comments; for memberships see [GrantRole].
func Roles(roles ...string) Objects { return objects(roleObjects, roles, literally("role")) }

// Extensions are extensions. They have comments and no privileges.
func Extensions(extensions ...string) Objects {
	return objects(extensionObjects, extensions, literally("extension"))
}

// TableColumn is a column of a table, for comments. For privileges of columns, see [Grant].
func TableColumn(table, column string) Objects {
	return partOf(columnObjects, table, column, func(table, column string) string { return table + "." + column })
}

// TableConstraint is a constraint of a table, for comments.
func TableConstraint(table, constraint string) Objects {
	return partOf(constraintObjects, table, constraint, func(table, constraint string) string { return constraint + " on " + table })
}

func partOf(kind *objectKind, table, part string, sql func(table, part string) string) Objects {
	return objects(kind, []string{part}, func(part string) (string, error) {
		quoted, err := name(kind.comment, part)
		if err != nil {
			return "", err
		}
		n, err := relation(table)
		return sql(n, quoted), err
	})
}

// AllTables are the tables, views and their like that schemas have at the moment. For those of the future see [GrantDefault].
func AllTables(schemas ...string) Objects { return objects(allTables, schemas, literally("schema")) }

// AllSequences are the sequences that schemas have at the moment.
func AllSequences(schemas ...string) Objects {
	return objects(allSequences, schemas, literally("schema"))
}

// AllFunctions are the functions that schemas have at the moment.
func AllFunctions(schemas ...string) Objects {
	return objects(allFunctions, schemas, literally("schema"))
}

// AllProcedures are the procedures that schemas have at the moment.
func AllProcedures(schemas ...string) Objects {
	return objects(allProcedures, schemas, literally("schema"))
}

// AllRoutines are the functions and procedures that schemas have at the moment.
func AllRoutines(schemas ...string) Objects {
	return objects(allRoutines, schemas, literally("schema"))
}

// signature reads and quotes a function with the types of its arguments, or without.
func signature(text string) (string, error) {
	function, arguments, ok := cutArguments(text)
	quoted, err := relation(function)
	if err != nil || !ok {
		return quoted, err
	}
	inner, closed := strings.CutSuffix(arguments, ")")
	if !closed {
		return "", fmt.Errorf("function %q: the arguments have no closing parenthesis", text)
	}
	if strings.TrimSpace(inner) != "" {
		if err := expression("arguments", inner); err != nil {
			return "", err
		}
	}
	return quoted + "(" + inner + ")", nil
}

// cutArguments cuts at the first parenthesis outside of quotes.
func cutArguments(text string) (function, arguments string, ok bool) {
	quoted := false
	for i := range len(text) {
		switch text[i] {
		case '"':
			quoted = !quoted
		case '(':
			if !quoted {
				return strings.TrimSpace(text[:i]), strings.TrimSpace(text[i+1:]), true
			}
		}
	}
	return text, "", false
}

// grantTarget is what stands behind ON in GRANT and REVOKE.
func (o Objects) grantTarget() (string, error) {
	if err := o.check(); err != nil {
		return "", err
	}
	if o.kind.grant == "" {
		return "", fmt.Errorf("%s %s: there are no privileges of its own", o.kind.comment, o.names[0])
	}
	return o.kind.grant + " " + strings.Join(o.names, ", "), nil
}

// commentTarget is what stands behind COMMENT ON.
func (o Objects) commentTarget() (string, error) {
	if err := o.check(); err != nil {
		return "", err
	}
	switch {
	case o.kind.comment == "":
		return "", fmt.Errorf("%s %s: there are no comments", o.kind.grant, o.names[0])
	case len(o.names) > 1:
		return "", errors.New("one object at a time")
	}
	return o.kind.comment + " " + o.names[0], nil
}

func (o Objects) check() error {
	if o.kind == nil {
		return errors.New("no object is named")
	}
	return o.err
}

// explain makes an error of the server an [ErrTableNotFound] where it says that the one table that is named does not exist.
func (o Objects) explain(ctx context.Context, q ext.Querier, err error) error {
	if o.kind == nil || o.kind.grant != "table" || len(o.given) != 1 {
		return err
	}
	return explain(ctx, q, o.given[0], err)
}

// String is how messages name the objects.
func (o Objects) String() string {
	if o.kind == nil {
		return "nothing"
	}
	word := o.kind.grant
	if word == "" {
		word = o.kind.comment
	}
	return word + " " + strings.Join(o.names, ", ")
}
