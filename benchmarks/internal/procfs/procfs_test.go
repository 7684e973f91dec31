package procfs_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/paynorm/paynorm/benchmarks/internal/procfs"
)

const stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 2104 0 0 0 123 45 6 7 20 0 9 0 101 1271 204\n"

func proc(stat, status string) fstest.MapFS {
	return fstest.MapFS{"42/stat": {Data: []byte(stat)}, "42/status": {Data: []byte(status)}}
}

func TestUsageIsReadWhateverTheProgramIsCalled(t *testing.T) {
	got, ok := procfs.Read(proc(stat, "Name:\tx\nVmPeak:\t 9999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n"), 42)
	if want := (procfs.Usage{CPU: 1680 * time.Millisecond, PeakRSS: 2 << 20}); !ok || got != want {
		t.Errorf("got %+v %v, want %+v", got, ok, want)
	}
}

func TestWhatCannotBeReadIsNotKnown(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"no process":  {},
		"no peak":     proc(stat, "Name:\tx\n"),
		"short stat":  proc("42 (x) S 1 2", "VmHWM: 1 kB"),
		"strange CPU": proc("42 (x) S 1 2 3 4 5 6 7 8 9 10 a 12", "VmHWM: 1 kB"),
		"strange RSS": proc(stat, "VmHWM: many kB"),
	} {
		if got, ok := procfs.Read(files, 42); ok {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestMachineIsBusyWithAllButIdlingAndWaiting(t *testing.T) {
	got, ok := procfs.ReadMachine(fstest.MapFS{"stat": {Data: []byte("cpu  1 2 4 1000 2000 8 16 32 64 128\ncpu0 1 2 3\n")}})
	if want := 630 * time.Millisecond; !ok || got != want {
		t.Errorf("got %v %v, want %v", got, ok, want)
	}
	for _, text := range []string{"", "cpu 1 2", "intr 1 2 3 4 5 6 7 8 9", "cpu 1 2 3 4 5 6 7 x"} {
		if got, ok := procfs.ReadMachine(fstest.MapFS{"stat": {Data: []byte(text)}}); ok {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
