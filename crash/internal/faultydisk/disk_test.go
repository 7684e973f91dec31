//go:build linux && (amd64 || arm64)

package faultydisk_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paynorm/paynorm/crash/internal/faultydisk"
	"github.com/paynorm/paynorm/crash/internal/seccomp"
)

// The test binary also is the program on the disk.
func TestMain(m *testing.M) {
	seccomp.Child()
	if len(os.Args) == 3 && os.Args[1] == "program" {
		program(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// program writes in all ways to files in dir, and says how each went.
func program(dir string) {
	say := func(what string, n int, err error) {
		result := "ok"
		if errors.Is(err, syscall.ENOSPC) {
			result = "full"
		} else if err != nil {
			result = err.Error()
		}
		fmt.Println(what, n, result)
	}
	old, err := os.OpenFile(filepath.Join(dir, "old"), os.O_RDWR, 0)
	say("open", 0, err)
	n, err := old.WriteAt([]byte("XY"), 0)
	say("over", n, err)
	n, err = old.WriteAt([]byte("1234"), 2) // two bytes more
	say("partly over", n, err)
	f, err := os.OpenFile(filepath.Join(dir, "new"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	say("create", 0, err)
	n, err = f.WriteString("abcdef") // of which three fit
	say("append", n, err)
	n, err = f.WriteString("g")
	say("again", n, err)
	n, err = old.WriteAt([]byte("Z"), 9)
	say("beyond", n, err)
	say("sync", 0, f.Sync())
	elsewhere, err := os.OpenFile(filepath.Join(dir, "..", "elsewhere"), os.O_CREATE|os.O_WRONLY, 0o600)
	say("create", 0, err)
	n, err = io.WriteString(elsewhere, "much more than there is room for")
	say("elsewhere", n, err)
}

// run runs the program on a disk and returns what it says and what it has written.
func run(t *testing.T, prepare func(*faultydisk.Disk)) (said, old, fresh string, d *faultydisk.Disk) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder, log := filepath.Join(dir, "disk"), filepath.Join(dir, "log")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "old"), []byte("0123"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d = faultydisk.New(folder)
	prepare(d)
	p, err := d.Start(exec.Command(self, "program", folder), log)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Ended()
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	return read(log), read(filepath.Join(folder, "old")), read(filepath.Join(folder, "new")), d
}

func TestFullDiskTakesWhatFitsAndRefusesTheRest(t *testing.T) {
	said, old, fresh, d := run(t, func(d *faultydisk.Disk) { d.Fill(5) })
	want := []string{
		"open 0 ok", "over 2 ok", "partly over 4 ok", "create 0 ok",
		"append 3 full", "again 0 full", "beyond 0 full", "sync 0 ok",
		"create 0 ok", "elsewhere 32 ok",
	}
	if diff := cmp.Diff(strings.Join(want, "\n")+"\n", said); diff != "" {
		t.Errorf("what the program saw (-want +got):\n%s", diff)
	}
	if old != "XY1234" || fresh != "abc" || d.Refused() != 3 {
		t.Errorf("written %q and %q, %d refused; want XY1234, abc and 3", old, fresh, d.Refused())
	}
}

func TestDiskWithRoomTakesAll(t *testing.T) {
	said, _, fresh, d := run(t, func(d *faultydisk.Disk) { d.Fill(0); d.Free() })
	if strings.Contains(said, "full") || fresh != "abcdefg" || d.Refused() != 0 {
		t.Errorf("%s\nwritten %q, %d refused", said, fresh, d.Refused())
	}
}

func TestSlowDiskDelaysSyncs(t *testing.T) {
	const delay = 300 * time.Millisecond
	began := time.Now()
	said, _, _, _ := run(t, func(d *faultydisk.Disk) { d.Slow(delay) })
	if took := time.Since(began); took < delay || !strings.Contains(said, "sync 0 ok") {
		t.Errorf("%s\ntook %v, want at least %v", said, took, delay)
	}
}
