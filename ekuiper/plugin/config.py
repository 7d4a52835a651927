"""Where the labeler is: config.json beside this file, read again whenever it changes; the environment goes before it."""
import json
import os

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "config.json")


class Config:
    """url, token, query, functions, timeout and onError; README.md says what each is for."""

    def __init__(self, path=PATH, environment=os.environ):
        self.path = path
        self.environment = environment
        self.version = ()
        self.values = {}

    def read(self):
        """The settings as they are now. Raises ValueError with what to fix."""
        try:
            stat = os.stat(self.path)
            version = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            version = None
        if version != self.version:
            self.values = self._load() if version else {}
            self.version = version
        return self._with_environment()

    def functions(self):
        """The names of the functions besides labelImage, as they are when the plugin starts."""
        try:
            return sorted(self.read().get("functions") or {})
        except ValueError:
            return []  # each call says what is wrong

    def _load(self):
        try:
            with open(self.path, encoding="utf-8") as file:
                values = json.load(file)
        except (OSError, ValueError) as error:
            raise ValueError("Cannot read %s: %s" % (self.path, error))
        if not isinstance(values, dict):
            raise ValueError("%s is not a JSON object" % self.path)
        return values

    def _with_environment(self):
        values = dict(self.values)
        for key, name in (("url", "LABELER_URL"), ("token", "LABELER_TOKEN")):
            if self.environment.get(name):
                values[key] = self.environment[name]
        if not values.get("url"):
            raise ValueError('No labeler is set: put {"url": "http://LABELER:8787"} into %s' % self.path)
        return values
