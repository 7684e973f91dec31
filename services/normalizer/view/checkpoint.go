package view

import (
	"context"
	"database/sql"
	"sync"
)

// checkpointEvery is after how many rows the write-ahead log is folded into the
// file: about 5 MB. All of it is synced then, which holds up the disk for others, so
// it is better done often and little at once than seldom. A batch has some pages in
// the log whatever it holds, which counts as batchRows.
const (
	checkpointEvery = 4000
	batchRows       = 12
)

// checkpointer folds the write-ahead log into the file beside the writer, which
// else would wait for it in the middle of a batch.
type checkpointer struct {
	db      *sql.DB
	due     chan struct{}
	pending int // events, deliveries and batchRows since the last time
	stopped sync.WaitGroup
}

func startCheckpointer(path string) (*checkpointer, error) {
	db, err := connect(path, writing, 1)
	if err != nil {
		return nil, err
	}
	c := &checkpointer{db: db, due: make(chan struct{}, 1)}
	c.stopped.Go(c.run)
	return c, nil
}

// wrote takes note of a batch of events and deliveries. It belongs to the writer.
func (c *checkpointer) wrote(rows int) {
	if c.pending += rows + batchRows; c.pending < checkpointEvery {
		return
	}
	select {
	case c.due <- struct{}{}:
		c.pending = 0
	default: // one is in work, and one waits
	}
}

func (c *checkpointer) run() {
	for range c.due {
		// The log begins anew once all of it is in the file, and the writer goes on
		// meanwhile; the second and third time there is little left to do.
		for range 3 {
			var busy, inLog, moved int
			err := c.db.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &inLog, &moved)
			if err != nil || moved == inLog {
				break // after an error the log grows, until the writer folds it
			}
		}
	}
}

func (c *checkpointer) close() error {
	close(c.due)
	c.stopped.Wait()
	return c.db.Close()
}
