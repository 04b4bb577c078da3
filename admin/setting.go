package admin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// settingActions are what ALTER ROLE and ALTER DATABASE do to run-time parameters.
func settingActions(settings map[string]string, reset []string) (actions []string, err error) {
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		parameter, err := settingName(key)
		if err != nil {
			return nil, err
		}
		value, err := settingValue(key, settings[key])
		if err != nil {
			return nil, err
		}
		actions = append(actions, "set "+parameter+" = "+value)
	}
	for _, key := range reset {
		parameter, err := settingName(key)
		if err != nil {
			return nil, err
		}
		actions = append(actions, "reset "+parameter)
	}
	return actions, nil
}

// listSettings are the run-time parameters that are lists of names. A text in SQL would be one name with commas in it.
var listSettings = []string{"search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"}

// settingValue is the value of a run-time parameter in SQL.
func settingValue(key, text string) (string, error) {
	if !slices.Contains(listSettings, strings.ToLower(key)) || strings.TrimSpace(text) == "" {
		return literal(text)
	}
	parts, err := split("setting", text)
	if err != nil {
		return "", err
	}
	return list(parts, func(part string) (string, error) {
		if len(part) > 1 && part[0] == '"' && part[len(part)-1] == '"' {
			part = strings.ReplaceAll(part[1:len(part)-1], `""`, `"`)
		}
		return literal(part)
	})
}

// settingName quotes the name of a run-time parameter: work_mem, myapp.tenant.
func settingName(key string) (string, error) {
	parts := strings.Split(key, ".")
	for _, part := range parts {
		if err := ext.CheckName(part); err != nil {
			return "", fmt.Errorf("setting %q: %w", key, err)
		}
	}
	return ext.QuoteName(parts...), nil
}
