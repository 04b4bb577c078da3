package driver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const serviceFileName = "pg_service.conf"

// fillService fills in the settings of the service that the connection string or PGSERVICE names. It is looked up in
// the given service file, or else in the user's; then in the system's, in the folder PGSYSCONFDIR.
func (d *draft) fillService(env map[string]string, lookup lookupFunc) error {
	name := d.given["service"].value
	if name == "" {
		name = env["service"]
	}
	if name == "" {
		return nil
	}
	fail := func(reason string) error { return &ParseError{Key: "service", Reason: reason} }
	for _, path := range d.serviceFiles(env, lookup) {
		body, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fail(err.Error())
		}
		settings, found, err := parseService(string(body), name)
		if err != nil {
			return fail(path + ": " + err.Error())
		}
		if found {
			d.fill(settings, func(string) string { return path })
			return nil
		}
	}
	return fail("there is no definition of " + name + " in " + orDefault(strings.Join(d.serviceFiles(env, lookup), ", "), "any file"))
}

func (d *draft) serviceFiles(env map[string]string, lookup lookupFunc) []string {
	var files []string
	first := orDefault(d.given["servicefile"].value, env["servicefile"])
	if first = orDefault(first, d.userFile("."+serviceFileName, "."+serviceFileName)); first != "" {
		files = append(files, first)
	}
	if dir := lookup.value("PGSYSCONFDIR"); dir != "" {
		files = append(files, filepath.Join(dir, serviceFileName))
	}
	return files
}

// parseService reads the settings of one service.
func parseService(body, name string) (settings map[string]string, found bool, err error) {
	inside := false
	settings = map[string]string{}
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.Trim(line, dsnSpace)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			if inside {
				return settings, true, nil
			}
			inside = line == "["+name+"]"
			continue
		}
		if !inside {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		switch key = strings.Trim(key, dsnSpace); {
		case !ok || strings.HasPrefix(line, "ldap:"):
			return nil, false, errors.New("service " + name + ` has a line that is not of the form "key=value"`)
		case key == "service" || key == "servicefile":
			return nil, false, errors.New("service " + name + " names another service")
		}
		addSetting(settings, key, strings.Trim(value, dsnSpace))
	}
	return settings, inside, nil
}
