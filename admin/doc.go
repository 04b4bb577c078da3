// Package admin creates, describes and looks after what a PostgreSQL server holds. Each verb is a function over a *sql.DB, *sql.Conn
// or *sql.Tx, or what wraps one.
//
//	I want to …                                              function
//	schemas                                                  ListSchemas, SchemaExists, CreateSchema, DropSchema
//	tables: list them, look at one                           ListTables, TableExists, DescribeTable
//	its columns, with all there is to say, types or names    TableInfo, ColumnsWithTypes, ListColumns
//	how many rows, exactly or by the statistics              RowCount
//	sizes of the database and of tables                      DatabaseSize, TableSize, ListTableSizes
//	create a table from columns, or from a struct            CreateTable; CreateTableFor, ColumnsFor
//	change, empty or drop a table                            AlterTable, Truncate, DropTable
//	change the columns of a table                            AddColumn, AlterColumn, DropColumn
//	indexes                                                  ListIndexes, IndexExists, CreateIndex, RenameIndex, DropIndex
//	indexes without holding up writes                        CreateIndexConcurrently, DropIndexConcurrently
//	constraints                                              ListConstraints, PrimaryKey, ForeignKeys, AddPrimaryKey, AddForeignKey,
//	                                                         AddUnique, AddCheck, ValidateConstraint, RenameConstraint, DropConstraint
//	views                                                    ListViews, CreateView, DropView
//	materialized views                                       CreateMaterializedView, RefreshMaterializedView, DropMaterializedView
//	sequences                                                ListSequences, CreateSequence, SetSequence, DropSequence
//	extensions                                               ListExtensions, HasExtension, RequireExtension, CreateExtension,
//	                                                         UpdateExtension, DropExtension
//	comments                                                 CommentOn
//
//	roles                                                    ListRoles, RoleExists, CreateRole, AlterRole, DropRole
//	a password that no log shows                             RoleOptions.Password, RoleChange.Password; ScramVerifier
//	memberships                                              GrantRole, RevokeRole, ListRoleMembers
//	privileges                                               Grant, Revoke, ListRoleGrants, ListTableGrants
//	privileges on what will be created                       GrantDefault, RevokeDefault, ListDefaultGrants
//	databases                                                ListDatabases, DatabaseExists, CreateDatabase, AlterDatabase,
//	                                                         DropDatabase, OpenDatabase
//
//	vacuum and statistics                                    Vacuum, Analyze
//	build indexes anew, or tables in an order                ReindexIndex, ReindexTable, ReindexSchema, ReindexDatabase, Cluster
//	the plan of a statement, as a tree, text or picture      Explain, ExplainText, ParsePlan
//	what sessions do, who blocks whom                        ListActivity, ListLocks, BlockingChains
//	end a statement or a session                             CancelBackend, TerminateBackend
//	indexes that nobody uses, space that nobody needs        UnusedIndexes, ListBloat
//	migrations from files                                    package admin/migrate
//	pg_dump and pg_restore                                   package admin/backup
//	PostGIS                                                  module admin/postgis
//	TimescaleDB                                              package admin/timescale
//
// # Names
//
// Tables, views, indexes, sequences, types and functions are written as [github.com/pycopg/pycopg/ext.ParseName] reads them: "users",
// "app.users", "app.\"odd.name\"". A dot separates the schema, quotes protect, and case is kept: "Users" is not users. Without a
// schema the session's search path decides. Roles, schemas, columns, constraints and databases are taken literally. All of
// them are quoted, so that any name works that PostgreSQL can have; an empty one, one over 63 bytes, or one with a NUL is an error
// before anything is sent. Where roles are named, [CurrentUser] and its like are the keywords, and [Public] is everyone.
//
// Types, expressions, conditions and queries are SQL. They are checked to stay in their place (closed quotes and parentheses, no
// semicolon), and are the program's own: they are no place for what a user has typed.
//
// # What functions return
//
// Create… is strict: what exists is the server's error (SQLSTATE 42P07 for tables, 42P06 for schemas). With IfNotExists it is left
// as it is. Drop… does nothing where there is nothing. Both return whether they did something: of many sessions that create or drop
// one thing at a time, exactly one is told so, and it works inside a transaction, which goes on. Under
// go-sqlmock, such a function (Create… with IfNotExists) is one Exec of the statement with IF EXISTS, and what it returns is whether
// the mock's result has affected rows; with sqltest/mock, which has the real driver, it is one ExpectCommand of that statement, and
// its count. What asks the catalog is one query, whose columns are the result's fields in snake case; a mock may leave
// columns out.
//
// Alter… functions take a struct whose fields say what changes, all of it or nothing, by one text of several statements.
//
// What asks the catalog needs no privileges, and neither the search path nor what it leads to changes the meaning of its query. The
// schemas and roles that are PostgreSQL's own are left out unless [ListOptions] wants them; those are the names that begin with pg_,
// and information_schema, and not names like pgbouncer. Lists are in the order of the names, and empty where there is nothing. A
// table that does not exist is [ErrTableNotFound], SQLSTATE 42P01, which names the table in lower case if there is one.
//
// Functions that take an [github.com/pycopg/pycopg/ext.OutsideTx] run what PostgreSQL refuses inside a transaction: no *sql.Tx can be
// passed, and a *sql.Conn inside one is ext.ErrInTransaction before anything is sent.
package admin
