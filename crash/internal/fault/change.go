package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Change replaces a piece of paynorm's source for one build.
type Change struct {
	file     string // in the module
	old, new string // old stands in file exactly once
}

// Followed returns the files, beside data_dir, in which a follower writes how far it
// has read ledger and events. See FastMotion.
func Followed(dir string) (ledger, events string) {
	return filepath.Join(dir, "followed-ledger"), filepath.Join(dir, "followed-events")
}

// FastMotion lets retention do in seconds what it does in months: it looks every 20 ms
// at what is stored, and takes a MiB for a KiB and an hour for 3.5 s. It keeps what
// a follower has not read yet, because that could not be judged any more.
func FastMotion() []Change {
	const file = "internal/serve/upkeep.go"
	return []Change{
		{file: file, old: "trimEvery = time.Minute", new: "trimEvery = 20 * time.Millisecond"},
		{file: file, old: "import (\n", new: "import (\n\t\"os\"\n\t\"path/filepath\"\n\t\"strconv\"\n"},
		{file: file, old: "at.Cursor)", new: "min(at.Cursor, p.followed(\"events\")))"},
		{file: file, old: "at.LedgerSequence)", new: "min(at.LedgerSequence, p.followed(\"ledger\")))"},
		{
			file: file,
			old:  "return k.GetMaxAge().AsDuration(), k.GetMaxBytes()\n}\n",
			new: `return k.GetMaxAge().AsDuration() / 1024, k.GetMaxBytes() / 1024
}

func (p *process) followed(stream string) int64 {
	text, _ := os.ReadFile(filepath.Join(filepath.Dir(p.Config.GetDataDir()), "followed-"+stream))
	n, _ := strconv.ParseInt(string(text), 10, 64)
	return n
}
`,
		},
	}
}

// Build builds the program at program from the module at root, with changes in it.
func Build(ctx context.Context, root, program string, changes ...Change) error {
	list, err := overlay(root, filepath.Dir(program), changes)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "-overlay", list, "./cmd/paynorm")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// overlay writes the changed files to dir, and the list that go build reads.
func overlay(root, dir string, changes []Change) (list string, err error) {
	texts, err := Apply(root, changes...)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for file, text := range texts {
		changed := filepath.Join(dir, strings.ReplaceAll(file, "/", "-")+".txt")
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, filepath.FromSlash(file))] = changed
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list = filepath.Join(dir, "overlay.json")
	return list, os.WriteFile(list, data, 0o600)
}

// Apply returns the sources that changes touch, changed, by their names in the
// module at root. It is an error when a source is not what a change expects.
func Apply(root string, changes ...Change) (map[string]string, error) {
	texts := map[string]string{}
	for _, c := range changes {
		text, ok := texts[c.file]
		if !ok {
			data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(c.file)))
			if err != nil {
				return nil, err
			}
			text = string(data)
		}
		if n := strings.Count(text, c.old); n != 1 {
			return nil, fmt.Errorf("%s has %d places like %q, want 1: bring the change up to date with the source", c.file, n, c.old)
		}
		texts[c.file] = strings.Replace(text, c.old, c.new, 1)
	}
	return texts, nil
}

// Root returns the folder of paynorm's source.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/paynorm/paynorm").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
