package initcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"evo/internal/cli/app"
	"evo/internal/publish"
	"evo/internal/unzip"
)

// What a location can be, in the words of cookiecutter, as SAM CLI takes them.
var (
	shortForms = map[string]string{"gh:": "https://github.com/", "gl:": "https://gitlab.com/", "bb:": "https://bitbucket.org/"}
	repository = regexp.MustCompile(`^(git\+)?((https?|file|ssh|git)://|git@)`)
)

// where writes the location's short forms out.
func (o *options) where() string {
	for short, long := range shortForms {
		if rest, ok := strings.CutPrefix(o.location, short); ok {
			return long + rest
		}
	}
	return o.location
}

// nameAfterLocation names a project that has no name after what it is made of.
func (o *options) nameAfterLocation() error {
	if o.Name == "" {
		o.Name = nameOf(o.where())
	}
	if !validName().MatchString(o.Name) {
		return o.badName()
	}
	return nil
}

// start makes the project of what is at the location: a published application, an archive, a repository, or a folder.
func (o *options) start(ctx context.Context, dir string) error {
	if err := o.bring(ctx, o.where(), dir); err != nil {
		return fmt.Errorf("start from %s: %w", o.location, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "cookiecutter.json")); err == nil {
		return &app.HintedError{Err: fmt.Errorf("%s is a cookiecutter template, whose blanks evo does not fill in", o.location),
			HintText: "make the project with cookiecutter or `sam init`, and go on with evo there"}
	}
	return nil
}

// nameOf makes a project's name of the last element of its location.
func nameOf(location string) string {
	if strings.HasPrefix(location, "arn:") {
		location, _, _ = strings.Cut(location, "@")
	}
	base := path.Base(strings.TrimRight(filepath.ToSlash(location), "/"))
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".git"), ".zip")
	return strings.ReplaceAll(base, "_", "-")
}

// bring fills dir with what is at the location.
func (o *options) bring(ctx context.Context, location, dir string) error {
	switch {
	case strings.HasPrefix(location, "arn:"):
		return o.fetch(ctx, location, dir)
	case strings.HasSuffix(location, ".zip") && strings.Contains(location, "://"):
		return download(ctx, location, dir)
	case strings.HasSuffix(location, ".zip"):
		return unpack(o.app.Path(location), dir)
	case repository.MatchString(location):
		return clone(ctx, strings.TrimPrefix(location, "git+"), dir)
	}
	from := o.app.Path(location)
	switch info, err := os.Stat(from); {
	case err != nil:
		return &app.HintedError{Err: fmt.Errorf("there is no such folder, and it is no URL, zip file or ARN: %w", err),
			HintText: "a location is a folder, a zip file or its URL, a git repository's URL, or a published application's ARN"}
	case !info.IsDir():
		return errors.New("it is a file, and no zip")
	}
	return copyFolder(from, dir)
}

func (o *options) fetch(ctx context.Context, application, dir string) error {
	if !publish.IsApplication(application) {
		return app.Usagef("it is no application's ARN: arn:aws:serverlessrepo:REGION:ACCOUNT:applications/NAME, and perhaps @VERSION")
	}
	cfg, err := o.app.AWS(ctx)
	if err != nil {
		return err
	}
	return publish.Fetch(ctx, cfg, application, dir)
}

// clone brings a git repository's newest files, without its history.
func clone(ctx context.Context, url, dir string) error {
	git, err := exec.LookPath("git")
	if err != nil {
		return &app.HintedError{Err: fmt.Errorf("it is a git repository: %w", err), HintText: "install git, or give the URL of a zip file"}
	}
	cmd := exec.CommandContext(ctx, git, "clone", "--quiet", "--depth", "1", "--", url, dir)
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git clone: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return os.RemoveAll(filepath.Join(dir, ".git"))
}

// What bounds an archive that is fetched, and what it becomes, in bytes.
const (
	maxDownload = 512 << 20
	maxProject  = 1 << 30
)

func download(ctx context.Context, url, dir string) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", req.URL.Host, res.Status)
	}
	file, err := os.CreateTemp("", "evo-*.zip")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	n, err := io.Copy(file, io.LimitReader(res.Body, maxDownload+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if n > maxDownload {
		return fmt.Errorf("%s sends more than %d bytes", req.URL.Host, maxDownload)
	}
	return unpack(file.Name(), dir)
}

// unpack brings an archive's files. A single folder that all of them are in, as in a repository's archive, is left out.
func unpack(file, dir string) error {
	tmp := dir + ".unpacked"
	if err := unzip.File(file, tmp, maxProject); err != nil {
		return err
	}
	from := tmp
	if entries, err := os.ReadDir(tmp); err == nil && len(entries) == 1 && entries[0].IsDir() {
		from = filepath.Join(tmp, entries[0].Name())
	}
	if err := os.Remove(dir); err != nil {
		return err
	}
	return errors.Join(os.Rename(from, dir), os.RemoveAll(tmp))
}

// copyFolder copies a folder, without git's own and what evo has built there.
func copyFolder(from, to string) error {
	return filepath.WalkDir(from, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == ".aws-sam" || strings.HasPrefix(d.Name(), ".evo-init-")):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, info.Mode().Perm())
	})
}
