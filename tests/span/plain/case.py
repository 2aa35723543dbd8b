"""A small plant on an ordinary mirror port: what all wrapped and damaged forms of it are compared with. The wrong answer
would be a device too many, or one without what it said."""
from wire import plant as frames
