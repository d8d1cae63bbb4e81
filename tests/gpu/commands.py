"""Commands with a time limit and a log, and the sections to which they belong."""
import os
import signal
import subprocess
import time

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class Section:
    """One part of the run: its status, its results, its log, and its time limit."""

    def __init__(self, name, log, limit):
        self.name, self.log, self.limit = name, log, limit
        self.start = time.monotonic()
        self.status, self.note, self.seconds, self.data = FAILED, "", 0.0, {}
        log.write_text("")

    def left(self):
        return max(0.0, self.limit - (time.monotonic() - self.start))

    def finish(self, status, note):
        self.status, self.note, self.seconds = status, note, time.monotonic() - self.start

    def fail(self, note):
        self.finish(FAILED, note)


class Done:
    """The result of a command. `code` is None if the command ran out of time."""

    def __init__(self, code, out, error, seconds):
        self.code, self.out, self.error, self.seconds = code, out, error, seconds

    def ended(self):
        if self.code is None:
            return f"was stopped after {self.seconds:.0f} s"
        return f"was ended by signal {-self.code}" if self.code < 0 else f"ended with {self.code}"


def environment_with(variables):
    """This process's environment with `variables`; the elements of a list are put before the value of a path
    variable."""
    env = dict(os.environ)
    for name, value in (variables or {}).items():
        if isinstance(value, list):
            value = os.pathsep.join([*value, *([env[name]] if env.get(name) else [])])
        env[name] = value
    return env


class Runner:
    def run(self, command, section, limit=None, env=None):
        """Runs until the command ends, or until its limit or the section's; then kills its processes. Appends to the
        log."""
        left = section.left() if section else 60
        limit = max(1.0, min(limit or left, left))
        start = time.monotonic()
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
                                       env=environment_with(env))
        except OSError as error:
            done = Done(127, "", f"{command[0]}: {error.strerror}", 0.0)
        else:
            try:
                out, error = process.communicate(timeout=limit)
                code = process.returncode
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, error = process.communicate()
                code = None
            done = Done(code, out, error, time.monotonic() - start)
        if section:
            with open(section.log, "a") as log:
                log.write(f"$ {' '.join(command)}\n{done.out}{done.error}\n[{done.ended()}, {done.seconds:.1f} s]\n\n")
        return done
