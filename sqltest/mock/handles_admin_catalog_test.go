package mock_test

import (
	"context"
	"database/sql"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/admin"
)

var adminCatalogCases = map[string]plainCall{
	"admin.OpenDatabase": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`the settings of the connection`).WillReturnResult(sqlmock.NewResult(0, 0))
		_, err := admin.OpenDatabase(ctx, db, "shop")
		return wantMock(err)
	},
	"admin.DatabaseExists": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_database`).WithArgs("shop").WillReturnRows(sqlmock.NewRows([]string{"exists"}).AddRow(true))
		ok, err := admin.DatabaseExists(ctx, db, "shop")
		return want(ok, err, true)
	},
	"admin.ListDatabases": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_database`).WillReturnRows(sqlmock.NewRows([]string{"name", "owner"}).AddRow("shop", "app"))
		all, err := admin.ListDatabases(ctx, db, admin.ListOptions{})
		return want(head(all).Name, err, "shop")
	},
	"admin.DatabaseSize": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_database_size`).WillReturnRows(sqlmock.NewRows([]string{"size"}).AddRow(8192))
		size, err := admin.DatabaseSize(ctx, db)
		return want(size, err, 8192)
	},
	"admin.SchemaExists": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_namespace`).WithArgs("app").WillReturnRows(sqlmock.NewRows([]string{"exists"}).AddRow(true))
		ok, err := admin.SchemaExists(ctx, db, "app")
		return want(ok, err, true)
	},
	"admin.ListSchemas": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_namespace`).WillReturnRows(sqlmock.NewRows([]string{"name", "owner"}).AddRow("app", "ann"))
		schemas, err := admin.ListSchemas(ctx, db, admin.ListOptions{})
		return want(head(schemas).Name, err, "app")
	},
	"admin.TableExists": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_class`).WillReturnRows(sqlmock.NewRows([]string{"exists"}).AddRow(true))
		ok, err := admin.TableExists(ctx, db, "users")
		return want(ok, err, true)
	},
	"admin.ListTables": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_class`).WillReturnRows(sqlmock.NewRows([]string{"schema", "name", "kind"}).AddRow("public", "users", "table"))
		tables, err := admin.ListTables(ctx, db, "public", admin.TablesOptions{})
		return want(head(tables).Name, err, "users")
	},
	"admin.DescribeTable": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_class`).WillReturnRows(sqlmock.NewRows([]string{"schema", "name", "kind"}).AddRow("public", "users", "table"))
		m.ExpectQuery(`pg_attribute`).WillReturnRows(sqlmock.NewRows([]string{"name", "type"}).AddRow("id", "bigint"))
		m.ExpectQuery(`pg_index`).WillReturnRows(sqlmock.NewRows([]string{"name"}).AddRow("users_pkey"))
		m.ExpectQuery(`pg_constraint`).WillReturnRows(sqlmock.NewRows([]string{"name", "kind"}).AddRow("users_pkey", "primary key"))
		m.ExpectQuery(`size`).WillReturnRows(sqlmock.NewRows([]string{"total"}).AddRow(8192))
		d, err := admin.DescribeTable(ctx, db, "users")
		return want(head(d.Columns).Name, err, "id")
	},
	"admin.TableInfo": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_attribute`).WillReturnRows(sqlmock.NewRows([]string{"name", "type", "nullable"}).AddRow("id", "bigint", false))
		columns, err := admin.TableInfo(ctx, db, "users")
		return want(head(columns).Type, err, "bigint")
	},
	"admin.ListColumns": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_attribute`).WillReturnRows(sqlmock.NewRows([]string{"name"}).AddRow("id").AddRow("name"))
		columns, err := admin.ListColumns(ctx, db, "users")
		return want(columns[1], err, "name")
	},
	"admin.ColumnsWithTypes": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_attribute`).WillReturnRows(sqlmock.NewRows([]string{"name", "type"}).AddRow("id", "bigint"))
		columns, err := admin.ColumnsWithTypes(ctx, db, "users")
		return want(head(columns).Type, err, "bigint")
	},
	"admin.PrimaryKey": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_constraint`).WillReturnRows(sqlmock.NewRows([]string{"name", "kind", "columns"}).AddRow("users_pkey", "primary key", "{id}"))
		key, err := admin.PrimaryKey(ctx, db, "users")
		return want(head(key), err, "id")
	},
	"admin.ForeignKeys": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_constraint`).WillReturnRows(sqlmock.NewRows([]string{"name", "kind", "ref_table"}).AddRow("orders_user_id_fkey", "foreign key", "users"))
		keys, err := admin.ForeignKeys(ctx, db, "orders")
		return want(head(keys).RefTable, err, "users")
	},
	"admin.ListConstraints": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_constraint`).WillReturnRows(sqlmock.NewRows([]string{"name", "kind"}).AddRow("users_pkey", "primary key"))
		constraints, err := admin.ListConstraints(ctx, db, "users")
		return want(head(constraints).Name, err, "users_pkey")
	},
	"admin.IndexExists": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_class`).WillReturnRows(sqlmock.NewRows([]string{"exists"}).AddRow(true))
		ok, err := admin.IndexExists(ctx, db, "users_pkey")
		return want(ok, err, true)
	},
	"admin.ListIndexes": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_index`).WillReturnRows(sqlmock.NewRows([]string{"name", "unique"}).AddRow("users_pkey", true))
		indexes, err := admin.ListIndexes(ctx, db, "users")
		return want(head(indexes).Name, err, "users_pkey")
	},
	"admin.ListViews": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_class`).WillReturnRows(sqlmock.NewRows([]string{"schema", "name"}).AddRow("public", "names"))
		views, err := admin.ListViews(ctx, db, "public", admin.ListOptions{})
		return want(head(views).Name, err, "names")
	},
	"admin.ListSequences": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_sequence`).WillReturnRows(sqlmock.NewRows([]string{"schema", "name", "last"}).AddRow("public", "ticket", 100))
		sequences, err := admin.ListSequences(ctx, db, "public", admin.ListOptions{})
		return want(*sequences[0].Last, err, 100)
	},
	"admin.ListExtensions": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_extension|pg_available_extensions`).WillReturnRows(sqlmock.NewRows([]string{"name", "version"}).AddRow("hstore", "1.8"))
		extensions, err := admin.ListExtensions(ctx, db, admin.ExtensionsOptions{})
		return want(head(extensions).Version, err, "1.8")
	},
	"admin.HasExtension": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_extension`).WithArgs("hstore").WillReturnRows(sqlmock.NewRows([]string{"exists"}).AddRow(true))
		ok, err := admin.HasExtension(ctx, db, "hstore")
		return want(ok, err, true)
	},
	"admin.RequireExtension": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_extension`).WillReturnRows(sqlmock.NewRows([]string{"installed", "available"}).AddRow(true, true))
		return admin.RequireExtension(ctx, db, "hstore")
	},
	"admin.RowCount": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`select .*count`).WillReturnRows(sqlmock.NewRows([]string{"count"}).AddRow(7))
		n, err := admin.RowCount(ctx, db, "users", admin.RowCountOptions{})
		return want(n, err, 7)
	},
	"admin.TableSize": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`size`).WillReturnRows(sqlmock.NewRows([]string{"schema", "name", "total"}).AddRow("public", "users", 8192))
		sizes, err := admin.TableSize(ctx, db, "users")
		return want(sizes.Total, err, 8192)
	},
	"admin.ListTableSizes": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`size`).WillReturnRows(sqlmock.NewRows([]string{"schema", "name", "total"}).AddRow("public", "users", 8192))
		sizes, err := admin.ListTableSizes(ctx, db, "public", admin.SizesOptions{})
		return want(head(sizes).Total, err, 8192)
	},
	"admin.RoleExists": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_roles`).WithArgs("app").WillReturnRows(sqlmock.NewRows([]string{"exists"}).AddRow(true))
		ok, err := admin.RoleExists(ctx, db, "app")
		return want(ok, err, true)
	},
	"admin.ListRoles": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_roles`).WillReturnRows(sqlmock.NewRows([]string{"name", "login"}).AddRow("app", true))
		roles, err := admin.ListRoles(ctx, db, admin.ListOptions{})
		return want(head(roles).Login, err, true)
	},
	"admin.ListRoleMembers": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_auth_members`).WillReturnRows(sqlmock.NewRows([]string{"name", "admin"}).AddRow("app", false))
		members, err := admin.ListRoleMembers(ctx, db, "readers", admin.MembersOptions{})
		return want(head(members).Name, err, "app")
	},
	"admin.ListRoleGrants": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`aclexplode`).WillReturnRows(sqlmock.NewRows([]string{"kind", "name", "privilege", "grantee"}).AddRow("table", "users", "SELECT", "app"))
		grants, err := admin.ListRoleGrants(ctx, db, "app", admin.ListOptions{})
		return want(head(grants).Privilege, err, "SELECT")
	},
	"admin.ListTableGrants": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`aclexplode`).WillReturnRows(sqlmock.NewRows([]string{"kind", "name", "privilege", "grantee"}).AddRow("table", "users", "SELECT", "app"))
		grants, err := admin.ListTableGrants(ctx, db, "users")
		return want(head(grants).Grantee, err, "app")
	},
	"admin.ListDefaultGrants": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`pg_default_acl`).WillReturnRows(sqlmock.NewRows([]string{"creator", "objects", "grantee", "privilege"}).AddRow("ann", "tables", "app", "SELECT"))
		grants, err := admin.ListDefaultGrants(ctx, db)
		return want(head(grants).Objects, err, admin.FutureTables)
	},
}
