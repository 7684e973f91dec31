BUF_VERSION := 1.75.0
BUF := .cache/npm/node_modules/.bin/buf
.cache/npm/node_modules/.bin/buf:
	npm install --prefix .cache/npm --no-save --ignore-scripts --no-audit --no-fund --loglevel=error @bufbuild/buf@$(BUF_VERSION)
.cache/proto/.stamp: go.mod tools/protodeps/main.go
	go run ./tools/protodeps -o .cache/proto
	@touch $@
generate: $(BUF) .cache/proto/.stamp
	$(BUF) generate
