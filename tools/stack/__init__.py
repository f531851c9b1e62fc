"""A whole installation on this machine by one command, to try it and to test it: `make stack`.

PostgreSQL, Valkey and SeaweedFS from wheels and nginx of the system, before them two web processes, two dispatchers and
the processes that submit and collect, in the folders of two machines. All of it listens on loopback, lies in one folder
that is thrown away, and ends with the command. No company is to be run by it: see deploy/.
"""
