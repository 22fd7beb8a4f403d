package discovery

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// cache remembers the last known instances by prefix: in memory, because gRPC drops an idle connection's resolver and
// builds another at the next call; and in a directory, for a process that starts while etcd is away.
type cache struct {
	dir string
	log *slog.Logger
	mu  sync.Mutex
	mem map[string][]Instance
}

func newCache(dir string, log *slog.Logger) *cache {
	return &cache{dir: dir, log: log, mem: map[string][]Instance{}}
}

func (c *cache) load(prefix string) []Instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	if set, ok := c.mem[prefix]; ok || c.dir == "" {
		return set
	}
	data, err := os.ReadFile(c.file(prefix))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			c.log.Warn("discovery: cache not read", "error", err)
		}
		return nil
	}
	var stored []Instance
	if err := json.Unmarshal(data, &stored); err != nil {
		c.log.Warn("discovery: cache not read", "error", err)
		return nil
	}
	var set []Instance
	for _, inst := range stored {
		if inst.Validate() == nil && inst.key() == prefix+inst.ID {
			set = append(set, inst)
		}
	}
	return set
}

// save replaces the file as a whole, so that a crash leaves the old or the new one.
func (c *cache) save(prefix string, set []Instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mem[prefix] = set
	if c.dir == "" {
		return
	}
	if err := c.write(prefix, set); err != nil {
		c.log.Warn("discovery: cache not written", "error", err)
	}
}

func (c *cache) write(prefix string, set []Instance) error {
	data, err := json.Marshal(set)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, "instances-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), c.file(prefix))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// file is safe: a prefix is made of validated names only.
func (c *cache) file(prefix string) string {
	return filepath.Join(c.dir, strings.ReplaceAll(strings.Trim(prefix, "/"), "/", "-")+".json")
}
