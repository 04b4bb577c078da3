package admin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pythonMethods are the public methods of Python's pycopg, class by class.
const pythonMethods = `
	close connect copy_insert count create create_from_env cursor delete_where engine async_engine execute execute_many exists fetch_all fetch_one fetch_val
	from_dataframe from_geodataframe in_session insert_batch insert_many listen notify paginate session stream to_dataframe to_geodataframe transaction
	update_where upsert upsert_many from_env from_url
	add_foreign_key add_primary_key add_unique_constraint columns_with_types create_database create_extension create_index create_schema create_table
	database_exists describe drop_database drop_extension drop_index drop_schema drop_table foreign_keys has_extension list_columns list_constraints
	list_databases list_extensions list_indexes list_schemas list_tables primary_key row_count schema_exists sequences table_exists table_info truncate_table views
	alter_role create_role drop_role grant grant_role list_role_grants list_role_members list_roles revoke revoke_role role_exists
	analyze explain size table_size table_sizes vacuum copy_from_csv copy_to_csv pg_dump pg_restore build_pg_dump_cmd build_pg_restore_cmd build_role_options
	add_compression_policy add_continuous_aggregate_policy add_dimension add_reorder_policy add_retention_policy create_continuous_aggregate create_hypertable
	drop_chunks enable_compression hypertable_info list_hypertables refresh_continuous_aggregate show_chunks time_bucket time_bucket_gapfill
	area buffer centroid contains create_spatial_index distance dwithin intersects list_geometry_columns nearest perimeter transform within
	check connection open resize stats wait async_url connect_params dsn load_dotenv url with_database applied migrate pending rollback sql status
	build_init_sql build_truncate_sql history init last_run run quote_literal validate_csv_option validate_extension_name validate_identifier validate_identifiers
	validate_index_method validate_interval validate_object_type validate_privileges validate_timestamp
	ConfigurationError ConnectionError DatabaseExists ETLError ETLTargetNotFoundError ETLTransformError ExtensionNotAvailable InvalidIdentifier MigrationError
	PycopgError TableNotFound TimescaleError Migrator Pipeline RunResult PooledDatabase`

func TestTheGuideHasEveryMethodOfPythonsPycopg(t *testing.T) {
	t.Parallel()
	guide := string(must(os.ReadFile("../docs/from-pycopg.md"))(t))
	words := regexp.MustCompile(`\w+`).FindAllString(guide, -1)
	for method := range strings.FieldsSeq(pythonMethods) {
		if !slices.Contains(words, method) {
			t.Errorf("the guide lacks %s", method)
		}
	}
}

// TestTheGuidesNamesExist looks for the Go names of the guide in the packages.
func TestTheGuidesNamesExist(t *testing.T) {
	t.Parallel()
	guide := string(must(os.ReadFile("../docs/from-pycopg.md"))(t))
	folders := map[string]string{
		"admin": ".", "driver": "../driver", "ext": "../ext", "listen": "../listen", "copyin": "../copyin", "copyout": "../copyout",
		"migrate": "migrate", "backup": "backup", "postgis": "postgis", "timescale": "timescale",
	}
	known := make(map[string]map[string]bool)
	for pkg, folder := range folders {
		known[pkg] = exported(t, folder)
	}
	for _, name := range regexp.MustCompile(`\b([a-z]+)\.([A-Z]\w*)`).FindAllStringSubmatch(guide, -1) {
		if names, ours := known[name[1]]; ours && !names[name[2]] {
			t.Errorf("the guide names %s, which does not exist", name[0])
		}
	}
}

// exported are the exported names of a package, without methods and fields.
func exported(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files := must(filepath.Glob(filepath.Join(folder, "*.go")))(t)
	if len(files) == 0 {
		t.Errorf("no package in %s", folder)
	}
	names := make(map[string]bool)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}
