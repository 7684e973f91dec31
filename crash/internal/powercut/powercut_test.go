//go:build linux && (amd64 || arm64)

package powercut_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/crash/internal/powercut"
	"github.com/paynorm/paynorm/crash/internal/seccomp"
)

// The test binary also is the program that loses its power.
func TestMain(m *testing.M) {
	seccomp.Child()
	if len(os.Args) > 2 && os.Args[1] == "program" {
		program(os.Args[2], os.Args[3])
	}
	os.Exit(m.Run())
}

// program does to the folder dir what the steps say, says that it has, and waits.
func program(dir, steps string) {
	if err := os.Chdir(dir); err != nil {
		panic(err)
	}
	files := map[string]*os.File{}
	for step := range strings.SplitSeq(steps, ";") {
		words := strings.Fields(step)
		if err := do(files, words); err != nil {
			panic(fmt.Sprint(step, ": ", err))
		}
	}
	fmt.Println("done")
	select {}
}

func do(files map[string]*os.File, words []string) (err error) {
	name := words[1]
	switch words[0] {
	case "open":
		files[name], err = os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	case "append":
		files[name], err = os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	case "truncate":
		files[name], err = os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	case "osync":
		files[name], err = os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_SYNC, 0o600)
	case "write":
		_, err = files[name].WriteString(words[2])
	case "writeAt2":
		_, err = files[name].WriteAt([]byte(words[2]), 2)
	case "shorten":
		err = files[name].Truncate(1)
	case "sync":
		err = files[name].Sync()
	case "rename":
		err = os.Rename(name, words[2])
	case "remove":
		err = os.RemoveAll(name)
	case "mkdir":
		err = os.Mkdir(name, 0o700)
	case "syncdir":
		var d *os.File
		if d, err = os.Open(name); err == nil {
			err = d.Sync()
		}
	}
	return err
}

// bench is a disk with a program on it.
type bench struct {
	disk *powercut.Disk
	dir  string
	live string
}

func newBench(t *testing.T, seed uint64) *bench {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{dir: dir, live: filepath.Join(dir, "live")}
	if b.disk, err = powercut.NewDisk(b.live, filepath.Join(dir, "platter"), seed); err != nil {
		t.Fatal(err)
	}
	return b
}

// run starts the program, waits until it has done the steps and cuts the power.
func (b *bench) run(t *testing.T, steps string) powercut.Cut {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(b.dir, "log")
	if err := os.RemoveAll(log); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(log, 0o600); err != nil {
		t.Fatal(err)
	}
	opened := make(chan *os.File, 1)
	go func() {
		f, _ := os.OpenFile(log, os.O_RDWR, 0)
		opened <- f
	}()
	said := <-opened
	defer said.Close()
	p, err := b.disk.Start(exec.Command(self, "program", b.live, steps), log)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil || line != "done\n" {
		t.Errorf("the program says %q (%v)", line, err)
	}
	cut, err := b.disk.Cut(p)
	if err != nil {
		t.Fatal(err)
	}
	return cut
}

// survived returns what the program will find at its next start.
func (b *bench) survived(t *testing.T) map[string]string {
	t.Helper()
	found, err := b.disk.Survived()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestOnlyWhatIsSyncedIsSureToSurvive(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps string
		want  []map[string]string // with all kinds of luck
	}{
		{"nothing was synced", "open a;write a 12", []map[string]string{{}, {"a": ""}, {"a": "1"}, {"a": "12"}}},
		{"a synced file survives with its name", "open a;write a 12;sync a", []map[string]string{{"a": "12"}}},
		{"what came after the sync may be lost", "open a;write a 12;sync a;write a 3", []map[string]string{{"a": "12"}, {"a": "123"}}},
		{"writing over what is synced may be lost", "open a;write a 1234;sync a;writeAt2 a x", []map[string]string{{"a": "1234"}, {"a": "12x4"}, {"a": "12x"}}},
		{"appending", "append a;write a 1;sync a;write a 2;sync a", []map[string]string{{"a": "12"}}},
		{"shortened and synced", "open a;write a 1234;sync a;shorten a;sync a", []map[string]string{{"a": "1"}}},
		{"written anew and synced", "open a;write a 1234;sync a;truncate a;write a x;sync a", []map[string]string{{"a": "x"}}},
		{"O_SYNC syncs", "osync a;write a 12", []map[string]string{{"a": "12"}}},
		{"written after O_SYNC without it", "osync a;write a 12;open a;writeAt2 a 3", []map[string]string{{"a": "12"}, {"a": "123"}}},
		{"the folder was synced and the file was not", "open a;write a 1;syncdir .", []map[string]string{{"a": ""}, {"a": "1"}}},
		{"in a folder", "mkdir d;open d/a;write d/a 1;sync d/a", []map[string]string{{"d/a": "1"}}},
		{"a new name that was not synced", "open a;write a 1;sync a;rename a b", []map[string]string{{"a": "1"}, {"b": "1"}}},
		{"a new name, and the folder was synced", "open a;write a 1;sync a;rename a b;syncdir .", []map[string]string{{"b": "1"}}},
		{"in place of another", "open b;write b 0;sync b;osync a;write a 1;rename a b;syncdir .", []map[string]string{{"b": "1"}}},
		{"in place of another, not synced", "open b;write b 0;sync b;osync a;write a 1;rename a b", []map[string]string{{"b": "1"}, {"a": "1", "b": "0"}}},
		{"removed, not synced", "open a;write a 1;sync a;remove a", []map[string]string{{}, {"a": "1"}}},
		{"removed, and the folder was synced", "open a;write a 1;sync a;remove a;syncdir .", []map[string]string{{}}},
		{"a folder was removed", "mkdir d;open d/a;write d/a 1;sync d/a;remove d;syncdir .", []map[string]string{{}}},
		{"removed and made again", "open a;write a 1;sync a;remove a;open a;write a 2;sync a", []map[string]string{{"a": "2"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(3) {
				b := newBench(t, seed)
				b.run(t, c.steps)
				got := b.survived(t)
				if !slices.ContainsFunc(c.want, func(w map[string]string) bool { return cmp.Equal(w, got) }) {
					t.Errorf("seed %d: survived %v, want one of %v", seed, got, c.want)
				}
			}
		})
	}
}

func TestDataGrowsOverSeveralCuts(t *testing.T) {
	b := newBench(t, 1)
	for range 3 {
		b.run(t, "append a;write a 1;sync a;rename a b;syncdir .;rename b a;syncdir .")
	}
	if diff := cmp.Diff(map[string]string{"a": "111"}, b.survived(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLossesAreCounted(t *testing.T) {
	for seed := range uint64(3) {
		got := newBench(t, seed).run(t, "open a;write a 12;sync a;write a 3456;open b;write b 1")
		if got.Files != 2 || got.LostBytes+got.LuckBytes != 5 || got.LostNames+got.LuckNames != 1 {
			t.Errorf("seed %d: %+v, want 2 files, 5 bytes, 1 name", seed, got)
		}
	}
}
