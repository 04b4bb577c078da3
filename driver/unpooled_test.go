package driver_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// poolerVariable has every pool of the tests that can lead through PgBouncer when it is "transaction".
const poolerVariable = "PYCOPG_TEST_POOLER"

// pooled reports whether the tests are to run through PgBouncer.
func pooled() bool { return os.Getenv(poolerVariable) == string(driver.PoolerTransaction) }

// Why a test does not hold behind a pooler that changes the server's session after each transaction.
const (
	byPID      = "it knows connections by the process of their session"
	byKill     = "it ends the process of a session, which is the pooler's to notice"
	byName     = "it expects named statements on the server"
	bySettings = "it changes the session"
	byCancel   = "it cancels faster than the pooler passes cancel requests on"
)

// unpooled names the tests that are not run through PgBouncer.
var unpooled = map[string]string{
	"TestAConnectionToADemotedPrimaryIsRetired":      byPID,
	"TestALongCancelKeyCancels":                      byPID,
	"TestBackendKilledMidStatementIsNotRetried":      byKill,
	"TestCancelKeepsTheConnection":                   byPID,
	"TestCancelerNeverHitsALaterStatement":           byCancel,
	"TestCancelerStopsWhatRuns":                      byPID,
	"TestCancelerThatCannotTellInTimeSaysSo":         byPID,
	"TestCloseOfThePoolEndsItsBackends":              byPID,
	"TestConnectionKilledWhileIdleIsReplacedUnseen":  byKill,
	"TestCopyInEndsWithItsContext":                   byPID,
	"TestDoReachesTheConnectionOfEveryHandle":        byPID,
	"TestDoReturnsTheFunctionsErrorAsItIs":           byPID,
	"TestExplicitStatements":                         byName,
	"TestFailedResetRunsNothing":                     bySettings,
	"TestInfoTellsServerAndSession":                  byPID,
	"TestLeastRecentlyUsedStatementIsEvicted":        byName,
	"TestOneTextMayMeanTwoStatements":                bySettings,
	"TestLeakedTransactionFreesItsLocksWithoutReuse": byPID,
	"TestOneTextIsTwoStatementsUnderTwoSearchPaths":  bySettings,
	"TestPingAsksTheServer":                          byKill,
	"TestPinnedStatementsAreNotEvicted":              byName,
	"TestPollTakesWhatHasArrived":                    "it listens",
	"TestQueryHooksAloneAndOfStatements":             byName,
	"TestQueryHooksTellTheWholeStatement":            byName,
	"TestResetPolicies":                              bySettings,
	"TestResetStandsApartFromTheStatement":           bySettings,
	"TestResultsLeftOpenThroughPgxCostTheConnection": byPID,
	"TestSearchPathComesBackWithARollback":           bySettings,
	"TestSearchPathOfOneConnectionChanges":           bySettings,
	"TestStalePlanInsideATransactionIsNamed":         byName,
	"TestStatementIsPreparedAfterItsThreshold":       byName,
	"TestStatementOfAPoolWorksOnEveryConnection":     byPID,
	"TestTemporaryTableHidesAnother":                 bySettings,
	"TestTemporaryTablesCostNoOtherStatementItsPlan": byName,
	"TestUnlimitedStatements":                        byName,
	"TestVanishedStatementIsPreparedAgain":           byName,
	"TestWhatHasArrivedIsReadByALateReaderToo":       byKill,
}

// throughPooler leads cfg through PgBouncer in transaction mode, where the test can be run so.
func throughPooler(t testing.TB, cfg *driver.Config) {
	t.Helper()
	name, _, _ := strings.Cut(t.Name(), "/")
	if why, ok := unpooled[name]; ok {
		t.Skipf("not with pooler=transaction: %s", why)
	}
	cfg.Hosts = []driver.HostSpec{hostSpec(t, poolerAddress(t))}
	cfg.SSLMode = "disable"
	cfg.Pooler = driver.PoolerTransaction
}

// TestUnpooledTestsExist keeps the list free of names that no test has any more.
func TestUnpooledTestsExist(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil {
				tests[fn.Name.Name] = true
			}
		}
	}
	for name := range unpooled {
		if !tests[name] {
			t.Errorf("there is no %s", name)
		}
	}
}
