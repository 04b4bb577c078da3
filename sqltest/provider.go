package sqltest

import (
	"context"
	"sync"
)

// Provider starts or finds a server in a way that this package does not know, and returns a DSN of
// its superuser. An error means that there is none; its text appears in the reason for skipping.
// The provider cleans up by itself. Server calls it at most once in a process.
type Provider func(ctx context.Context) (dsn string, err error)

type namedProvider struct {
	name    string
	provide Provider
}

var providers struct {
	sync.Mutex
	list []namedProvider
}

// RegisterProvider adds a way to get a server, which Server tries after all others, in the order of
// registration. Call it before the first use of Server: from TestMain or an init function.
func RegisterProvider(name string, p Provider) {
	providers.Lock()
	defer providers.Unlock()
	providers.list = append(providers.list, namedProvider{name: name, provide: p})
}

func registeredProviders() []namedProvider {
	providers.Lock()
	defer providers.Unlock()
	return providers.list[:len(providers.list):len(providers.list)]
}
