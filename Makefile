.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

TOOLS := bin/tools
GENERATORS := protoc-gen-go protoc-gen-go-grpc protoc-gen-grpc-gateway protoc-gen-openapiv2 protodeps

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# Every tool is pinned in a module of its own under tools/, outside the workspace, and rebuilt only when its pins change.
$(TOOLS)/buf: tools/buf/go.mod tools/buf/go.sum
	cd tools/buf && GOWORK=off CGO_ENABLED=0 go build -o ../../$@ github.com/bufbuild/buf/cmd/buf

$(TOOLS)/plugins.built: tools/plugins/go.mod tools/plugins/go.sum $(wildcard tools/plugins/*/*.go)
	@mkdir -p $(TOOLS)
	cd tools/plugins && GOWORK=off CGO_ENABLED=0 go build -o ../../$(TOOLS)/ tool ./protodeps
	@touch $@

third_party/proto/.printed: $(TOOLS)/plugins.built
	$(TOOLS)/protodeps third_party/proto
	@touch $@

.PHONY: gen
gen: $(TOOLS)/buf $(TOOLS)/plugins.built third_party/proto/.printed ## generate gen/ from proto/
	tools/generate
